import type { PendingReply } from '../../contracts/celery/celery.ts';
import type { Db } from '../database.ts';

/** The replies that wait for the end of a task: one for each sender, in the order in which they sent it. */
export async function listPendingReplies(db: Db, taskId: string): Promise<PendingReply[]> {
  const rows = await db<Array<{ reply_to: string; details: Omit<PendingReply, 'reply_to'> }>>`
    SELECT reply_to, details FROM owed WHERE task_id = ${taskId} ORDER BY kept_at`;
  return rows.map(({ reply_to, details }) => ({ reply_to, ...details }));
}
