import type { Db } from '../database.ts';

/** Records that a queue is paused or not, unless it already is. */
export async function saveQueuePause(db: Db, queue: string, paused: boolean, by: string): Promise<void> {
  await db`
    INSERT INTO queue_pauses (queue, paused, changed_by, changed_at)
    SELECT ${queue}, ${paused}::boolean, ${by}, now()
    WHERE ${paused}::boolean IS DISTINCT FROM
      coalesce((SELECT paused FROM queue_pauses WHERE queue = ${queue} ORDER BY position DESC LIMIT 1), false)`;
}
