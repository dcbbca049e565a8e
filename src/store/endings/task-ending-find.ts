import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { eventFromRow, type ToldRow } from '../record/told-event.ts';
import { taskStream } from '../tasks/task-stream.ts';

const ENDINGS = ['task_succeeded', 'task_failed', 'task_revoked'];
const BEGUN_AGAIN = 'task_redriven';

/**
 * Finds the event that ended a task: the one with this dedupe key or, without a key, the last one. Undefined if the task has not ended.
 */
export async function findTaskEnding(db: Db, taskId: string, ending?: string): Promise<RecordedEvent | undefined> {
  const sought = ending === undefined ? [...ENDINGS, BEGUN_AGAIN] : ENDINGS;
  const [row] = await db<ToldRow[]>`
    SELECT * FROM told_events
    WHERE stream = ${taskStream(taskId)} AND type IN ${db(sought)}
      ${ending === undefined ? db`` : db`AND dedupe_key = ${ending}`}
    ORDER BY seq DESC LIMIT 1`;
  const event = row && eventFromRow(row);
  return event?.type === BEGUN_AGAIN ? undefined : event;
}
