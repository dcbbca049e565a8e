import { and, asc, inArray, sql } from 'drizzle-orm';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { events } from '../schema.ts';

const BATCH = 1_000;

/** The events of all streams, of those with a prefix, or of those listed: stream by stream, in order, batch by batch. */
export async function* scanEventsByStream(
  db: Db,
  { prefix, streams }: { prefix?: string; streams?: string[] } = {},
): AsyncGenerator<RecordedEvent> {
  for (let after = { stream: '', seq: 0 }, full = true; full; ) {
    const batch: RecordedEvent[] = await db
      .select()
      .from(events)
      .where(
        and(
          streams && inArray(events.stream, streams),
          prefix === undefined ? undefined : sql`starts_with(${events.stream}, ${prefix})`,
          sql`(${events.stream}, ${events.seq}) > (${after.stream}, ${after.seq}::integer)`,
        ),
      )
      .orderBy(asc(events.stream), asc(events.seq))
      .limit(BATCH);
    yield* batch;
    after = batch.at(-1) ?? after;
    full = batch.length === BATCH;
  }
}
