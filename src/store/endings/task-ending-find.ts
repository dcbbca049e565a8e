import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { taskStream } from '../tasks/task-stream.ts';

const ENDINGS = ['task_succeeded', 'task_failed', 'task_revoked'];
const BEGUN_AGAIN = 'task_redriven';

/** The event that ended a task: the one with this dedupe key or, without a key, the last one. Undefined while the task has not ended. */
export async function findTaskEnding(db: Db, taskId: string, ending?: string): Promise<RecordedEvent | undefined> {
  const sought = ending === undefined ? [...ENDINGS, BEGUN_AGAIN] : ENDINGS;
  const [event] = await db<RecordedEvent[]>`
    SELECT * FROM events
    WHERE stream = ${taskStream(taskId)} AND type IN ${db(sought)}
      ${ending === undefined ? db`` : db`AND dedupe_key = ${ending}`}
    ORDER BY seq DESC LIMIT 1`;
  return event?.type === BEGUN_AGAIN ? undefined : event;
}
