import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { allOf, type Db } from '../database.ts';
import { eventFromRow, type ToldRow } from './told-event.ts';

/** A task may have a megabyte in each event. */
const BATCH = 100;

/** Reads the events of all streams, of those with a prefix, or of those listed: stream by stream, in order, in batches. */
export async function* scanEventsByStream(
  db: Db,
  { prefix, streams }: { prefix?: string; streams?: string[] } = {},
): AsyncGenerator<RecordedEvent> {
  const wanted = allOf(db, [
    streams && db`stream IN ${db(streams)}`,
    prefix === undefined ? undefined : db`starts_with(stream, ${prefix})`,
  ]);
  for (let after = { stream: '', seq: 0 }, full = true; full; ) {
    const batch = await db<ToldRow[]>`
      SELECT * FROM told_events WHERE ${wanted} AND (stream, seq) > (${after.stream}, ${after.seq}::integer)
      ORDER BY stream, seq LIMIT ${BATCH}`;
    yield* batch.map(eventFromRow);
    after = batch.at(-1) ?? after;
    full = batch.length === BATCH;
  }
}
