import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { eventFromRow, type ToldRow } from './told-event.ts';

/** Lists all events of a stream, in order. A build has tens of them; its state machine limits how many. */
export async function listEvents(db: Db, stream: string): Promise<RecordedEvent[]> {
  const rows = await db<ToldRow[]>`SELECT * FROM told_events WHERE stream = ${stream} ORDER BY seq`;
  return rows.map(eventFromRow);
}
