import { and, desc, eq, inArray } from 'drizzle-orm';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { events } from '../schema.ts';

const ENDINGS = ['build_completed', 'build_cancelled', 'task_succeeded', 'task_failed', 'task_revoked'];
const BEGUN_AGAIN = ['build_retried', 'build_reopened', 'task_redriven'];

/** The event that ended a build or task; undefined while it has not ended, or is begun again. */
export async function findEnding(db: Db, stream: string): Promise<RecordedEvent | undefined> {
  const [event] = await db
    .select()
    .from(events)
    .where(and(eq(events.stream, stream), inArray(events.type, [...ENDINGS, ...BEGUN_AGAIN])))
    .orderBy(desc(events.seq))
    .limit(1);
  return event && ENDINGS.includes(event.type) ? event : undefined;
}
