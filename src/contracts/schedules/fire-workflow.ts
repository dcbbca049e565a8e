/** Type name of the workflow of one firing. */
export const FIRE_WORKFLOW = 'fire';

/** Prefix of the ids of these schedules in Temporal. Hapax has other schedules there for its own work. */
const PREFIX = 'hapax-schedule-';

/** Returns the id of a schedule in Temporal. The ids of its workflows begin with it. */
export function temporalScheduleId(name: string): string {
  return PREFIX + name;
}

/** Returns the name of the schedule with this id in Temporal; undefined if the schedule is not one of these. */
export function scheduleNameOf(temporalId: string): string | undefined {
  return temporalId.startsWith(PREFIX) ? temporalId.slice(PREFIX.length) : undefined;
}

/** Returns the workflow id of the firing at a time. Temporal makes the same id, exact to the second. */
export function fireWorkflowId(name: string, time: string): string {
  return `${temporalScheduleId(name)}-${time.slice(0, 19)}Z`;
}

/** Input of a firing. */
export interface FireInput {
  schedule: string;
  jitter_seconds: number;
  /** Version of the schedule that has this time. Firings of earlier versions of Hapax lack it. */
  version?: number;
  /** The scheduled time, ISO 8601. Left out if Temporal's schedule started the workflow, which then knows the time. */
  time?: string;
}
