import type { Db } from '../database.ts';

/** What a worker did with a task, as the log tells. */
export interface WorkEvent {
  type: 'task_received' | 'task_started' | 'task_succeeded' | 'task_failed' | 'task_retried' | 'task_revoked';
  name: string;
  /** The worker that has or had the task; empty if none ever did. */
  worker: string;
  /** From the last start to the success, seconds; null for other events. */
  runtime: number | null;
}

/** The events of work after a position of the log, in order, and the position to go on from. */
export async function listWorkEventsSince(
  db: Db,
  position: number,
): Promise<{ events: WorkEvent[]; position: number }> {
  // Positions commit out of order by milliseconds; all that are older than a second have committed.
  const rows = await db<Array<WorkEvent & { position: number }>>`
    SELECT events.position, events.type, tasks.name, coalesce(events.data ->> 'worker', tasks.worker, '') AS worker,
           CASE WHEN type = 'task_succeeded' THEN extract(epoch FROM events.occurred_at - tasks.started_at) END AS runtime
    FROM events JOIN tasks ON events.stream = 'task:' || tasks.id
    WHERE events.position > ${position} AND events.recorded_at < now() - interval '1 second'
      AND type IN ('task_received', 'task_started', 'task_succeeded', 'task_failed', 'task_retried', 'task_revoked')
    ORDER BY events.position`;
  return {
    events: rows.map(({ type, name, worker, runtime }) => ({
      type,
      name,
      worker,
      runtime: runtime === null ? null : Math.max(0, runtime),
    })),
    position: rows.at(-1)?.position ?? position,
  };
}

/** The end of the log. */
export async function lastPosition(db: Db): Promise<number> {
  const [row] = await db<Array<{ position: number }>>`SELECT coalesce(max(position), 0) AS position FROM events`;
  return row!.position;
}
