import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { eventFromRow, type ToldRow } from '../record/told-event.ts';

const ENDINGS = ['build_completed', 'build_cancelled', 'task_succeeded', 'task_failed', 'task_revoked'];
/** Types of the events after which an ended build or task goes on. */
export const BEGUN_AGAIN: readonly string[] = ['build_retried', 'build_reopened', 'task_redriven'];

/** Finds the event that ended a build or task; undefined if it has not ended, or has begun again. */
export async function findEnding(db: Db, stream: string): Promise<RecordedEvent | undefined> {
  const [row] = await db<ToldRow[]>`
    SELECT * FROM told_events WHERE stream = ${stream} AND type IN ${db([...ENDINGS, ...BEGUN_AGAIN])}
    ORDER BY seq DESC LIMIT 1`;
  const event = row && eventFromRow(row);
  return event && ENDINGS.includes(event.type) ? event : undefined;
}
