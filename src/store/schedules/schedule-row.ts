import type { ChainHead } from '../../domain/record/hash.ts';
import type { Schedule } from '../../domain/schedules/schedule.ts';

/** A row of the table `schedules`. */
export interface ScheduleRow extends Schedule {
  last_seq: number;
  last_hash: string;
}

/** The state that a row of the projection holds, without what only the store needs. */
export function scheduleFromRow(row: ScheduleRow): Schedule {
  const { last_seq: _seq, last_hash: _hash, ...schedule } = row;
  return schedule;
}

/** The row of the projection that a state makes, with the head of its stream. */
export function rowOfSchedule(schedule: Schedule, head: ChainHead): ScheduleRow {
  return { ...schedule, last_seq: head.seq, last_hash: head.hash };
}
