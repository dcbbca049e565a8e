import { asc, eq, getTableColumns } from 'drizzle-orm';
import type { RecordedEvent, ToldEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { events } from '../schema.ts';
import { type Identified, type ProjectionRow, type StreamKind, streamOf } from './stream-kind.ts';

/** The present state of a stream and all its events. */
export interface FoundStream<State> {
  state: State;
  events: RecordedEvent[];
}

/**
 * Finds a build or task with all its events, as of one moment: of two queries, the second could see what the first did
 * not. The state machines and the limits on retries keep a stream to some tens of events.
 */
export async function findStream<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
): Promise<FoundStream<State> | undefined> {
  const rows = await db
    .select({ row: getTableColumns(kind.table), event: getTableColumns(events) })
    .from(kind.table)
    .innerJoin(events, eq(events.stream, streamOf(kind, id)))
    .where(eq(kind.table.id, id))
    .orderBy(asc(events.seq));
  const [first] = rows;
  if (!first) return undefined;
  return { state: kind.stateOf(first.row as unknown as ProjectionRow), events: rows.map(({ event }) => event) };
}
