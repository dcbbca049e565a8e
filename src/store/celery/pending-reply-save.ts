import type { PendingReply } from '../../contracts/celery/celery.ts';
import type { Db } from '../database.ts';

/** Keeps that a sender waits for the end of a task. Each sender of a task is kept once, with its first message. */
export async function savePendingReply(db: Db, task_id: string, { reply_to, ...details }: PendingReply): Promise<void> {
  const kept_at = new Date().toISOString();
  await db`
    INSERT INTO owed ${db({ task_id, reply_to, details: JSON.stringify(details), kept_at })} ON CONFLICT DO NOTHING`;
}
