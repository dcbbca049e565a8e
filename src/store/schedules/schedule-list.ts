import type { Schedule } from '../../domain/schedules/schedule.ts';
import type { Db } from '../database.ts';
import { type StateRow, stateOfRow } from '../record/state-row.ts';

/** Lists all schedules by name. Leaves out deleted ones unless `deleted` is set. There are a few hundred at most. */
export async function listSchedules(db: Db, { deleted }: { deleted: boolean }): Promise<Schedule[]> {
  const rows = await db<Array<StateRow<Schedule>>>`
    SELECT * FROM schedules WHERE ${deleted} OR status <> 'deleted' ORDER BY id`;
  return rows.map(stateOfRow<Schedule>);
}
