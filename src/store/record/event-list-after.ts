import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

/**
 * New events of several streams at once: of each stream, those after the given seq. One query serves all who watch. It goes
 * by seq, which has no gaps within a stream; positions in the log may commit out of order, and some would be missed.
 */
export function listEventsAfter(db: Db, seen: ReadonlyMap<string, number>): Promise<RecordedEvent[]> {
  const watched = JSON.stringify([...seen].map(([stream, seq]) => ({ stream, seq })));
  return db<RecordedEvent[]>`
    SELECT events.* FROM jsonb_to_recordset(${watched}::jsonb) AS seen(stream text, seq integer)
    JOIN events ON events.stream = seen.stream AND events.seq > seen.seq ORDER BY events.stream, events.seq`;
}
