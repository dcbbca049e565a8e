import { BUILT_IN_QUEUES } from '../../contracts/tasks/task-queues.ts';
import type { Db } from '../database.ts';

export interface QueueMeasures {
  /** `builds`, or a queue of tasks. */
  name: string;
  /** How many are accepted and not started. */
  depth: number;
  /**
   * How long the oldest of these has waited, in seconds by the clock of the database: since it was accepted, or since its `eta`. Null if none
   * waits. A task whose `eta` is to come does not, and neither does a build that waits for its turn behind another in progress.
   */
  oldestAgeSeconds: number | null;
  /** How many are started and not ended. */
  inFlight: number;
}

/**
 * Measures builds and tasks that have not ended, by queue: builds, the queues of Hapax's own tasks, those that workers
 * registered, and other queues with open tasks. Reads only indexes of open work, and one entry of them to find the next queue.
 */
export async function measureQueues(db: Db): Promise<QueueMeasures[]> {
  const rows = await db<Array<{ name: string; depth: number; age: number | null; in_flight: number }>>`
    WITH RECURSIVE open_queues AS (
      SELECT min(queue) AS name FROM tasks WHERE completed_at IS NULL
      UNION ALL
      SELECT (SELECT min(queue) FROM tasks WHERE completed_at IS NULL AND queue > open_queues.name)
      FROM open_queues WHERE name IS NOT NULL
    ), queues AS (
      SELECT name FROM open_queues WHERE name IS NOT NULL
      UNION SELECT name FROM task_queues
      UNION SELECT jsonb_array_elements_text(${JSON.stringify(BUILT_IN_QUEUES)}::jsonb)
    )
    SELECT 'builds' AS name, count(*) FILTER (WHERE status = 'queued') AS depth,
           extract(epoch FROM now() - min(created_at) FILTER (WHERE status = 'queued' AND NOT EXISTS (
             SELECT FROM builds AS other WHERE other.lane = builds.lane AND other.status = 'in_progress'))) AS age,
           count(*) FILTER (WHERE status = 'in_progress') AS in_flight
    FROM builds WHERE completed_at IS NULL
    UNION ALL
    SELECT name, count(*) FILTER (WHERE status = 'PENDING'),
           extract(epoch FROM now() - min(greatest(created_at, eta)) FILTER (WHERE status = 'PENDING' AND coalesce(eta <= now(), true))),
           count(*) FILTER (WHERE status IN ('STARTED', 'RETRY'))
    FROM queues LEFT JOIN LATERAL (SELECT status, created_at, eta FROM tasks WHERE queue = queues.name AND completed_at IS NULL) AS open ON true
    GROUP BY name`;
  const order: readonly string[] = ['builds', ...BUILT_IN_QUEUES];
  const placeOf = ({ name }: { name: string }) => (order.includes(name) ? order.indexOf(name) : order.length);
  rows.sort((a, b) => placeOf(a) - placeOf(b) || (a.name < b.name ? -1 : 1));
  return rows.map(({ name, depth, age, in_flight }) => ({
    name,
    depth,
    // The process that accepted it may have a clock that is ahead.
    oldestAgeSeconds: age === null ? null : Math.max(0, age),
    inFlight: in_flight,
  }));
}
