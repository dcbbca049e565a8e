import type { Db } from '../database.ts';

/** A task that a worker works on. */
export interface RunningTask {
  id: string;
  name: string;
  queue: string;
  worker: string;
  attempts: number;
  started_at: string;
}

/** Tasks that are worked on, the longest running first. Reads only the index of what has not ended. */
export function listRunningTasks(db: Db, limit: number): Promise<RunningTask[]> {
  return db<RunningTask[]>`
    SELECT id, name, queue, worker, attempts, started_at FROM tasks
    WHERE completed_at IS NULL AND status = 'STARTED' AND worker IS NOT NULL
    ORDER BY started_at, id LIMIT ${limit}`;
}
