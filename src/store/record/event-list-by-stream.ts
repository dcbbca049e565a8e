import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

/** All events of a stream, in order. A build has tens of them; its state machine bounds how many. */
export function listEvents(db: Db, stream: string): Promise<RecordedEvent[]> {
  return db<RecordedEvent[]>`SELECT * FROM events WHERE stream = ${stream} ORDER BY seq`;
}
