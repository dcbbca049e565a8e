import type { Schedule } from '../../domain/schedules/schedule.ts';
import type { Db } from '../database.ts';
import { type StateRow, stateOfRow } from '../record/state-row.ts';

/** Finds the schedule with this name, deleted or not. */
export async function findSchedule(db: Db, name: string): Promise<Schedule | undefined> {
  const [row] = await db<Array<StateRow<Schedule>>>`SELECT * FROM schedules WHERE id = ${name}`;
  return row && stateOfRow(row);
}
