import type { Task } from '../../domain/tasks/task.ts';
import type { Db } from '../database.ts';
import { type StateRow, stateOfRow } from '../record/state-row.ts';

/** Finds the task with this id. Returns undefined also for text with NUL, which cannot be an id and which Postgres would refuse. */
export async function findTask(db: Db, id: string): Promise<Task | undefined> {
  if (id.includes('\u0000')) return undefined;
  const [row] = await db<Array<StateRow<Task>>>`SELECT * FROM tasks WHERE id = ${id}`;
  return row && stateOfRow(row);
}
