import type { Made, ScheduleDefinition, ScheduleStatus } from '../../contracts/schedules/schedule.ts';
import type { ScheduleEvent } from '../../contracts/schedules/schedule-event.ts';
import { IllegalEvent } from '../record/illegal-event.ts';

/** The current state of a schedule: the sum of its events. */
export interface Schedule {
  /** Its name. */
  id: string;
  status: ScheduleStatus;
  /** Id of the schedule in Temporal. */
  workflow_id: string;
  /** Grows with each definition. */
  version: number;
  definition: ScheduleDefinition;
  paused_note: string | null;
  /** The last scheduled time that made something. */
  last_time: string | null;
  /** Builds and tasks that the last firing made or found running. */
  last_made: Made[];
  /** The scheduled time that waits for earlier work to end. */
  waiting_time: string | null;
  fired: number;
  skipped: number;
  /** Every scheduled time until then is on record; ISO 8601. */
  accounted_until: string;
  created_at: string;
  changed_at: string;
  changed_by: string;
}

/**
 * Returns the state after an event. Replaying all events of a stream through this gives its projection.
 * @throws {IllegalEvent} if the event cannot follow the state.
 */
export function evolveSchedule(schedule: Schedule | undefined, event: ScheduleEvent): Schedule {
  if (event.type === 'schedule_created') {
    if (schedule) throw new IllegalEvent(`schedule ${schedule.id} exists already`);
    return created(event);
  }
  if (!schedule) throw new IllegalEvent(`${event.type} cannot be the first event of a schedule`);
  const { occurred_at } = event;
  switch (event.type) {
    case 'schedule_changed': {
      const { by, version, definition } = event.data;
      if (version <= schedule.version) {
        throw new IllegalEvent(`schedule ${schedule.id} has version ${schedule.version}; ${version} cannot follow`);
      }
      // A change brings a deleted schedule back as an active one.
      const status = schedule.status === 'deleted' ? 'active' : schedule.status;
      const changed = { changed_at: occurred_at, changed_by: by, accounted_until: occurred_at };
      return { ...schedule, ...changed, status, version, definition };
    }
    case 'schedule_paused':
      assertStatus(schedule, 'active', event.type);
      return { ...schedule, status: 'paused', paused_note: event.data.note };
    case 'schedule_resumed':
      assertStatus(schedule, 'paused', event.type);
      return { ...schedule, status: 'active', paused_note: null, accounted_until: occurred_at };
    case 'schedule_deleted': {
      if (schedule.status === 'deleted') throw new IllegalEvent(`schedule ${schedule.id} is deleted already`);
      const { version = schedule.version } = event.data;
      if (version !== schedule.version) {
        throw new IllegalEvent(
          `schedule ${schedule.id} has version ${schedule.version}, and not ${version}, which was to be deleted`,
        );
      }
      return { ...schedule, status: 'deleted', paused_note: null, waiting_time: null };
    }
    case 'schedule_fired': {
      const { time, by, made, running = [] } = event.data;
      const last_made = [...made, ...running].map(({ made, config }) =>
        config === undefined ? { made } : { made, config },
      );
      const told = { ...account(schedule, event.data), last_made, fired: schedule.fired + 1 };
      return by === null ? { ...told, last_time: later(schedule.last_time, time) } : told;
    }
    case 'schedule_buffered': {
      const { waiting_time } = schedule;
      if (waiting_time !== null) throw new IllegalEvent(`${waiting_time} waits already`);
      return { ...schedule, waiting_time: event.data.time };
    }
    case 'schedule_skipped':
      return { ...account(schedule, event.data), skipped: schedule.skipped + 1 };
    case 'schedule_missed': {
      const skipped = schedule.skipped + event.data.times.length;
      return { ...schedule, skipped, accounted_until: later(schedule.accounted_until, event.data.accounted_until) };
    }
    default:
      return event satisfies never;
  }
}

/** Applies what every event about one scheduled time changes. */
function account(schedule: Schedule, { time, accounted_until }: { time: string; accounted_until: string }): Schedule {
  const waiting_time = schedule.waiting_time === time ? null : schedule.waiting_time;
  return { ...schedule, waiting_time, accounted_until: later(schedule.accounted_until, accounted_until) };
}

function later(one: string | null, other: string): string {
  return one !== null && Date.parse(one) > Date.parse(other) ? one : other;
}

function assertStatus({ id, status }: Schedule, wanted: ScheduleStatus, type: string): void {
  if (status !== wanted) throw new IllegalEvent(`schedule ${id} is ${status}; ${type} cannot follow`);
}

function created({ data, occurred_at }: Extract<ScheduleEvent, { type: 'schedule_created' }>): Schedule {
  const { name, workflow_id, version, definition, by } = data;
  return {
    id: name,
    status: 'active',
    workflow_id,
    version,
    definition,
    paused_note: null,
    last_time: null,
    last_made: [],
    waiting_time: null,
    fired: 0,
    skipped: 0,
    accounted_until: occurred_at,
    created_at: occurred_at,
    changed_at: occurred_at,
    changed_by: by,
  };
}
