import type { Db } from '../database.ts';

/** Counts the tasks that each worker has started and not ended. */
export async function countRunningByWorker(db: Db): Promise<Map<string, number>> {
  const rows = await db<Array<{ worker: string; running: number }>>`
    SELECT worker, count(*) AS running FROM tasks
    WHERE completed_at IS NULL AND status = 'STARTED' AND worker IS NOT NULL GROUP BY worker`;
  return new Map(rows.map(({ worker, running }) => [worker, running]));
}
