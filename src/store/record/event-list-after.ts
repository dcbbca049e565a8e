import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { eventFromRow, type ToldRow } from './told-event.ts';

/**
 * Lists new events of several streams at once: for each stream, those after the given seq. One query serves all watchers. It
 * uses seq, which has no gaps within a stream. Positions in the log may commit out of order, so some events would be missed.
 */
export async function listEventsAfter(db: Db, seen: ReadonlyMap<string, number>): Promise<RecordedEvent[]> {
  const watched = JSON.stringify([...seen].map(([stream, seq]) => ({ stream, seq })));
  const rows = await db<ToldRow[]>`
    SELECT events.* FROM jsonb_to_recordset(${watched}::jsonb) AS seen(stream text, seq integer)
    JOIN told_events AS events ON events.stream = seen.stream AND events.seq > seen.seq
    ORDER BY events.stream, events.seq`;
  return rows.map(eventFromRow);
}
