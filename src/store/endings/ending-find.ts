import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { eventFromRow, type ToldRow } from '../record/told-event.ts';

/** Types of the events that end a build or task. */
export const ENDINGS: readonly string[] = [
  'build_completed',
  'build_cancelled',
  'task_succeeded',
  'task_failed',
  'task_revoked',
];
/** Types of the events after which an ended build or task goes on. */
export const BEGUN_AGAIN: readonly string[] = ['build_retried', 'build_reopened', 'task_redriven'];

/**
 * Finds the event that ended a build or task: the one with this dedupe key or, without a key, the last one. Then it is undefined if
 * the build or task has not ended, or has begun again.
 */
export async function findEnding(db: Db, stream: string, key?: string): Promise<RecordedEvent | undefined> {
  const [row] = await db<ToldRow[]>`
    SELECT * FROM told_events
    WHERE stream = ${stream} AND type IN ${db([...ENDINGS, ...BEGUN_AGAIN])}
      ${key === undefined ? db`` : db`AND dedupe_key = ${key}`}
    ORDER BY seq DESC LIMIT 1`;
  const event = row && eventFromRow(row);
  return event && ENDINGS.includes(event.type) ? event : undefined;
}
