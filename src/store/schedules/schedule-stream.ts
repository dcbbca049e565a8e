import { type ScheduleEvent, scheduleEventData } from '../../contracts/schedules/schedule-event.ts';
import { evolveSchedule, type Schedule } from '../../domain/schedules/schedule.ts';
import { rowOfState, stateOfRow } from '../record/state-row.ts';
import { type StreamKind, streamOf } from '../record/stream-kind.ts';

/** Schedules: streams `schedule:<name>`, projected into the table `schedules`. */
export const SCHEDULES: StreamKind<Schedule, ScheduleEvent> = {
  name: 'schedule',
  first: 'schedule_created',
  data: scheduleEventData,
  evolve: evolveSchedule,
  table: 'schedules',
  rowOf: rowOfState,
  stateOf: stateOfRow,
};

/** Returns the name of a schedule's stream in the log. */
export function scheduleStream(name: string): string {
  return streamOf(SCHEDULES, name);
}
