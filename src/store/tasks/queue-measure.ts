import { TASK_QUEUE_NAMES } from '../../contracts/tasks/task-queues.ts';
import type { Db } from '../database.ts';

export interface QueueMeasures {
  /** `builds`, or a queue of tasks. */
  name: string;
  /** Accepted and not begun. */
  depth: number;
  /** Since the oldest of these was accepted, by the clock of the database; null where there is none. */
  oldestAgeSeconds: number | null;
  /** Begun and not ended. */
  inFlight: number;
}

/** What has not ended, by queue. Reads only indexes of what has not ended. */
export async function measureQueues(db: Db): Promise<QueueMeasures[]> {
  const rows = await db<Array<{ name: string; depth: number; age: number | null; in_flight: number }>>`
    SELECT 'builds' AS name, count(*) FILTER (WHERE status = 'queued') AS depth,
           extract(epoch FROM now() - min(created_at) FILTER (WHERE status = 'queued')) AS age,
           count(*) FILTER (WHERE status = 'in_progress') AS in_flight
    FROM builds WHERE completed_at IS NULL
    UNION ALL
    SELECT name, count(*) FILTER (WHERE status = 'PENDING'),
           extract(epoch FROM now() - min(created_at) FILTER (WHERE status = 'PENDING')),
           count(*) FILTER (WHERE status IN ('STARTED', 'RETRY'))
    FROM jsonb_array_elements_text(${JSON.stringify(TASK_QUEUE_NAMES)}::jsonb) WITH ORDINALITY AS queues(name, number)
    LEFT JOIN LATERAL (SELECT status, created_at FROM tasks WHERE queue = queues.name AND completed_at IS NULL) AS open ON true
    GROUP BY name`;
  const order: readonly string[] = ['builds', ...TASK_QUEUE_NAMES];
  rows.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return rows.map(({ name, depth, age, in_flight }) => ({
    name,
    depth,
    // Whoever accepted it may have a clock that is ahead.
    oldestAgeSeconds: age === null ? null : Math.max(0, age),
    inFlight: in_flight,
  }));
}
