import type { Owed } from '../../contracts/celery/celery.ts';
import type { Db } from '../database.ts';

/** Keeps what is owed when a task has ended. Each sender of a task is kept once, with its first message. */
export async function saveOwed(db: Db, task_id: string, { reply_to, ...details }: Owed): Promise<void> {
  const kept_at = new Date().toISOString();
  await db`
    INSERT INTO owed ${db({ task_id, reply_to, details: JSON.stringify(details), kept_at })} ON CONFLICT DO NOTHING`;
  // Now and then one message pays for forgetting the old ones: tasks take less long, and nobody waits longer for an answer.
  if (Math.random() < 0.001) await db`DELETE FROM owed WHERE kept_at < now() - interval '30 days'`;
}
