import type { ChainHead } from '../../domain/record/hash.ts';
import type { Schedule } from '../../domain/schedules/schedule.ts';

/** A row of the table `schedules`. */
export interface ScheduleRow extends Schedule {
  last_seq: number;
  last_hash: string;
}

/** Returns the state in a row of the projection, without the columns that only the store needs. */
export function scheduleFromRow(row: ScheduleRow): Schedule {
  const { last_seq: _seq, last_hash: _hash, ...schedule } = row;
  return schedule;
}

/** Returns the row of the projection for a state and the head of its stream. */
export function rowOfSchedule(schedule: Schedule, head: ChainHead): ScheduleRow {
  return { ...schedule, last_seq: head.seq, last_hash: head.hash };
}
