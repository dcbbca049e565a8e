import type { Schedule } from '../../domain/schedules/schedule.ts';
import type { Db } from '../database.ts';
import { type ScheduleRow, scheduleFromRow } from './schedule-row.ts';

/** Lists all schedules by name. Leaves out deleted ones unless `deleted` is set. There are a few hundred at most. */
export async function listSchedules(db: Db, { deleted }: { deleted: boolean }): Promise<Schedule[]> {
  const rows = await db<ScheduleRow[]>`
    SELECT * FROM schedules WHERE ${deleted} OR status <> 'deleted' ORDER BY id`;
  return rows.map(scheduleFromRow);
}
