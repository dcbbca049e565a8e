import { asc, gt } from 'drizzle-orm';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { events } from '../schema.ts';

const BATCH = 1_000;

/** The whole log in the order of positions, batch by batch. Positions commit out of order: read it in a snapshot. */
export async function* scanEventsByPosition(snapshot: Db): AsyncGenerator<RecordedEvent> {
  for (let position = 0, full = true; full; ) {
    const batch = await snapshot
      .select()
      .from(events)
      .where(gt(events.position, position))
      .orderBy(asc(events.position))
      .limit(BATCH);
    yield* batch;
    position = batch.at(-1)?.position ?? position;
    full = batch.length === BATCH;
  }
}
