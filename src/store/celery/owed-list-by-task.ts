import type { Owed } from '../../contracts/celery/celery.ts';
import type { Db } from '../database.ts';

/** What is owed when a task has ended: an answer to each who sent it, in the order in which they did. */
export async function listOwed(db: Db, taskId: string): Promise<Owed[]> {
  const rows = await db<Array<{ reply_to: string; details: Omit<Owed, 'reply_to'> }>>`
    SELECT reply_to, details FROM owed WHERE task_id = ${taskId} ORDER BY kept_at`;
  return rows.map(({ reply_to, details }) => ({ reply_to, ...details }));
}
