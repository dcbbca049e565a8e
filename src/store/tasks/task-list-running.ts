import type { Db } from '../database.ts';

/** A task that a worker is running. */
export interface RunningTask {
  id: string;
  name: string;
  queue: string;
  worker: string;
  attempts: number;
  started_at: string;
}

/** Lists running tasks, longest running first. Reads only the index of tasks that have not ended. */
export function listRunningTasks(db: Db, limit: number): Promise<RunningTask[]> {
  return db<RunningTask[]>`
    SELECT id, name, queue, worker, attempts, started_at FROM tasks
    WHERE completed_at IS NULL AND status = 'STARTED' AND worker IS NOT NULL
    ORDER BY started_at, id LIMIT ${limit}`;
}
