import type { PendingReply } from '../../contracts/celery/celery.ts';
import { storableJson } from '../../domain/record/storable.ts';
import type { Db } from '../database.ts';

/** Saves that a sender waits for the end of a task. Each sender of a task is saved once, with its first message. */
export async function savePendingReply(db: Db, task_id: string, pending: PendingReply): Promise<void> {
  const row = { task_id, reply_to: pending.reply_to, details: detailsOf(pending), kept_at: new Date().toISOString() };
  await db`INSERT INTO owed ${db(row)} ON CONFLICT DO NOTHING`;
}

/** Returns everything about a pending reply but its sender, as the table has it: JSON. */
export function detailsOf({ reply_to: _, ...details }: PendingReply): string {
  return storableJson(JSON.stringify(details));
}
