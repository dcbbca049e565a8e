import type { RecordedEvent, ToldEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { eventFromJson } from './event-json.ts';
import { type Identified, type ProjectionRow, type StreamKind, streamOf } from './stream-kind.ts';
import type { ToldRow } from './told-event.ts';

/** The present state of a stream and all its events. */
export interface FoundStream<State> {
  state: State;
  events: RecordedEvent[];
}

/**
 * Finds the state of a stream with all its events, in one query: with two, the second could see events that the first did
 * not. The state machines and the limits on retries keep a stream to some tens of events.
 */
export async function findStream<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
): Promise<FoundStream<State> | undefined> {
  const [row] = await db<Array<ProjectionRow & { all_events: ToldRow[] | null }>>`
    SELECT *, (SELECT json_agg(events ORDER BY seq) FROM told_events AS events WHERE stream = ${streamOf(kind, id)}) AS all_events
    FROM ${db(kind.table)} WHERE id = ${id}`;
  if (!row?.all_events) return undefined;
  const { all_events, ...projected } = row;
  return { state: kind.stateOf(projected), events: all_events.map(eventFromJson) };
}
