import { TASK_QUEUE_NAMES, type TaskQueueName } from '../../contracts/tasks/task-queues.ts';
import type { Db } from '../database.ts';

/** A queue that is paused, by whom and since when. */
export interface QueuePause {
  queue: TaskQueueName;
  by: string;
  since: string;
}

/** The queues of tasks that are paused. */
export async function listPausedQueues(db: Db): Promise<QueuePause[]> {
  const rows = await db<QueuePause[]>`
    SELECT queue, changed_by AS by, changed_at AS since
    FROM jsonb_array_elements_text(${JSON.stringify(TASK_QUEUE_NAMES)}::jsonb) AS queues(name)
    CROSS JOIN LATERAL (SELECT * FROM queue_pauses WHERE queue = name ORDER BY position DESC LIMIT 1) AS latest
    WHERE paused ORDER BY queue`;
  return [...rows];
}
