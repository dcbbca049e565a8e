import type { Db } from '../database.ts';
import { taskStream } from './task-stream.ts';

/** Counts how often the work of a task was started. @param prefix of the dedupe keys of the starts to count. */
export async function countTaskStarts(db: Db, taskId: string, prefix: string): Promise<number> {
  const [row] = await db<Array<{ times: number }>>`
    SELECT count(*) AS times FROM events
    WHERE stream = ${taskStream(taskId)} AND type = 'task_started' AND starts_with(dedupe_key, ${prefix})`;
  return row!.times;
}
