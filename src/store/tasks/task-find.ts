import { eq } from 'drizzle-orm';
import type { Task } from '../../domain/tasks/task.ts';
import type { Db } from '../database.ts';
import { tasks } from '../schema.ts';
import { taskFromRow } from './task-row.ts';

/** The task with this id. Undefined also for what cannot be an id, which Postgres would refuse: text with NUL. */
export async function findTask(db: Db, id: string): Promise<Task | undefined> {
  if (id.includes('\u0000')) return undefined;
  const [row] = await db.select().from(tasks).where(eq(tasks.id, id));
  return row && taskFromRow(row);
}
