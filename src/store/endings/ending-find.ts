import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

const ENDINGS = ['build_completed', 'build_cancelled', 'task_succeeded', 'task_failed', 'task_revoked'];
const BEGUN_AGAIN = ['build_retried', 'build_reopened', 'task_redriven'];

/** The event that ended a build or task; undefined while it has not ended, or is begun again. */
export async function findEnding(db: Db, stream: string): Promise<RecordedEvent | undefined> {
  const [event] = await db<RecordedEvent[]>`
    SELECT * FROM events WHERE stream = ${stream} AND type IN ${db([...ENDINGS, ...BEGUN_AGAIN])}
    ORDER BY seq DESC LIMIT 1`;
  return event && ENDINGS.includes(event.type) ? event : undefined;
}
