import type { Schedule } from '../../domain/schedules/schedule.ts';
import type { Db } from '../database.ts';
import { type ScheduleRow, scheduleFromRow } from './schedule-row.ts';

/** Finds the schedule with this name, deleted or not. */
export async function findSchedule(db: Db, name: string): Promise<Schedule | undefined> {
  const [row] = await db<ScheduleRow[]>`SELECT * FROM schedules WHERE id = ${name}`;
  return row && scheduleFromRow(row);
}
