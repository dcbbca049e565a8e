/** Type name of the workflow of one firing. */
export const FIRE_WORKFLOW = 'fire';

/** Begins the ids of our schedules in Temporal. Hapax has other schedules there, of its own work. */
const PREFIX = 'hapax-schedule-';

/** Id of a schedule in Temporal, and of its workflows before their times. */
export function temporalScheduleId(name: string): string {
  return PREFIX + name;
}

/** The name of the schedule with this id in Temporal; undefined where it is none of ours. */
export function scheduleNameOf(temporalId: string): string | undefined {
  return temporalId.startsWith(PREFIX) ? temporalId.slice(PREFIX.length) : undefined;
}

/** Workflow id of the firing at a time, as Temporal makes it: to the second. */
export function fireWorkflowId(name: string, time: string): string {
  return `${temporalScheduleId(name)}-${time.slice(0, 19)}Z`;
}

/** Input of a firing. */
export interface FireInput {
  schedule: string;
  jitter_seconds: number;
  /** The scheduled time, ISO 8601; left out where Temporal's schedule started the workflow, which knows it. */
  time?: string;
}
