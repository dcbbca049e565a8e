import { and, eq } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { events } from '../schema.ts';

/** Whether an event was told to a stream. */
export async function eventExists(db: Db, stream: string, dedupeKey: string): Promise<boolean> {
  const found = await db
    .select({ seq: events.seq })
    .from(events)
    .where(and(eq(events.stream, stream), eq(events.dedupe_key, dedupeKey)));
  return found.length > 0;
}
