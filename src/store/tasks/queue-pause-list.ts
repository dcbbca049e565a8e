import type { Db } from '../database.ts';

/** A paused queue, with who paused it and when. */
export interface QueuePause {
  queue: string;
  by: string;
  since: string;
}

/** Lists the paused queues of tasks. */
export async function listPausedQueues(db: Db): Promise<QueuePause[]> {
  const rows = await db<QueuePause[]>`
    WITH RECURSIVE queues AS (
      SELECT min(queue) AS name FROM queue_pauses
      UNION ALL
      SELECT (SELECT min(queue) FROM queue_pauses WHERE queue > queues.name) FROM queues WHERE name IS NOT NULL
    )
    SELECT queue, changed_by AS by, changed_at AS since FROM queues
    CROSS JOIN LATERAL (SELECT * FROM queue_pauses WHERE queue = name ORDER BY position DESC LIMIT 1) AS latest
    WHERE paused ORDER BY queue`;
  return [...rows];
}
