import type { PendingReply } from '../../contracts/celery/celery.ts';
import type { Db } from '../database.ts';

/**
 * Lists the replies that wait for the end of a task: one for each sender, in the order in which they sent it.
 * @param ending the dedupe key of an ending. Leaves out senders who, according to the record, got a reply about it.
 */
export async function listPendingReplies(db: Db, taskId: string, ending?: string): Promise<PendingReply[]> {
  const rows = await db<Array<{ reply_to: string; details: Omit<PendingReply, 'reply_to'> }>>`
    SELECT reply_to, details FROM owed
    WHERE task_id = ${taskId} ${ending === undefined ? db`` : db`AND answered IS DISTINCT FROM ${ending}`}
    ORDER BY kept_at`;
  return rows.map(({ reply_to, details }) => ({ reply_to, ...details }));
}
