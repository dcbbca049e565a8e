import type { Db } from '../database.ts';

/** A worker's step with a task, according to the log. */
export interface WorkEvent {
  type: 'task_received' | 'task_started' | 'task_succeeded' | 'task_failed' | 'task_retried' | 'task_revoked';
  name: string;
  /** The worker that has or had the task; empty if none ever did. */
  worker: string;
  /** Time from the last start to the success, in seconds; null for other events. */
  runtime: number | null;
}

/** Lists the events of workers in a part of the log, in order: after a position, and up to another one. */
export async function listWorkEvents(db: Db, after: number, until: number): Promise<WorkEvent[]> {
  const rows = await db<WorkEvent[]>`
    SELECT events.type, tasks.name, coalesce(events.data ->> 'worker', tasks.worker, '') AS worker,
           CASE WHEN type = 'task_succeeded' THEN extract(epoch FROM events.occurred_at - tasks.started_at) END AS runtime
    FROM events JOIN tasks ON tasks.id = substr(events.stream, 6) AND starts_with(events.stream, 'task:')
    WHERE events.position > ${after} AND events.position <= ${until}
      AND type IN ('task_received', 'task_started', 'task_succeeded', 'task_failed', 'task_retried', 'task_revoked')
    ORDER BY events.position`;
  return rows.map(({ type, name, worker, runtime }) => ({
    type,
    name,
    worker,
    runtime: runtime === null ? null : Math.max(0, runtime),
  }));
}
