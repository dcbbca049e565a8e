import { asc, eq } from 'drizzle-orm';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { events } from '../schema.ts';

/** All events of a stream, in order. A build has tens of them; its state machine bounds how many. */
export function listEvents(db: Db, stream: string): Promise<RecordedEvent[]> {
  return db.select().from(events).where(eq(events.stream, stream)).orderBy(asc(events.seq));
}
