import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

/** A task may have a megabyte in each event. */
const BATCH = 100;

/**
 * Reads the whole log in order of position, in batches, without the values that are kept beside it. Positions commit out of
 * order, so read it in a snapshot.
 */
export async function* scanEventsByPosition(snapshot: Db): AsyncGenerator<RecordedEvent> {
  for (let position = 0, full = true; full; ) {
    const batch = await snapshot<RecordedEvent[]>`
      SELECT * FROM events WHERE position > ${position} ORDER BY position LIMIT ${BATCH}`;
    yield* batch;
    position = batch.at(-1)?.position ?? position;
    full = batch.length === BATCH;
  }
}
