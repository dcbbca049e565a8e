import { asc, eq } from 'drizzle-orm';
import type { Owed } from '../../contracts/celery/celery.ts';
import type { Db } from '../database.ts';
import { owed } from '../schema.ts';

/** What is owed when a task has ended: an answer to each who sent it, in the order in which they did. */
export async function listOwed(db: Db, taskId: string): Promise<Owed[]> {
  const rows = await db.select().from(owed).where(eq(owed.task_id, taskId)).orderBy(asc(owed.kept_at));
  return rows.map(({ reply_to, details }) => ({ reply_to, ...details }));
}
