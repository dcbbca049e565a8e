import type { Task } from '../../domain/tasks/task.ts';
import type { Db } from '../database.ts';
import { type TaskRow, taskFromRow } from './task-row.ts';

/** The task with this id. Undefined also for what cannot be an id, which Postgres would refuse: text with NUL. */
export async function findTask(db: Db, id: string): Promise<Task | undefined> {
  if (id.includes('\u0000')) return undefined;
  const [row] = await db<TaskRow[]>`SELECT * FROM tasks WHERE id = ${id}`;
  return row && taskFromRow(row);
}
