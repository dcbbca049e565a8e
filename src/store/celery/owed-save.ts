import { lt } from 'drizzle-orm';
import type { Owed } from '../../contracts/celery/celery.ts';
import type { Db } from '../database.ts';
import { owed } from '../schema.ts';

/** Longer than tasks take, and than anybody waits for an answer. */
const REMEMBERED_MS = 30 * 86_400_000;

/** Keeps what is owed when a task has ended. Each sender of a task is kept once, with its first message. */
export async function saveOwed(db: Db, task_id: string, { reply_to, ...details }: Owed): Promise<void> {
  const now = Date.now();
  await db
    .insert(owed)
    .values({ task_id, reply_to, details, kept_at: new Date(now).toISOString() })
    .onConflictDoNothing();
  // Now and then one message pays for forgetting the old ones.
  if (Math.random() < 0.001) await db.delete(owed).where(lt(owed.kept_at, new Date(now - REMEMBERED_MS).toISOString()));
}
