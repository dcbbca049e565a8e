import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import type { RecordedEvent, ToldEvent } from '../contracts/event.ts';
import { eventHash, GENESIS_HASH } from '../domain/hash.ts';
import type { Db } from './database.ts';
import { events } from './schema.ts';
import { type AnyStreamKind, type Identified, type ProjectionRow, type StreamKind, streamOf } from './stream-kind.ts';

/** What became of telling an event. `repeated`: it had been told before; `event` is then the one that stands. */
export interface Appended<State> {
  event: RecordedEvent;
  repeated: boolean;
  /** What the events add up to with this one; undefined where it was repeated. */
  state?: State;
}

/** Losing this many races for the next number of one stream means that something is wrong, not that it is busy. */
const MAX_RACES = 50;

/**
 * Appends an event and brings the projection of its stream up to date, in one statement, so that neither is ever without
 * the other. Telling an event again (same dedupe key) changes nothing. Two tellers of one stream race for the next
 * number; the loser reads and tries again.
 *
 * @throws {IllegalEvent} where the event cannot follow what stands.
 */
export async function appendEvent<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
  event: Event,
): Promise<Appended<State>> {
  const stream = streamOf(kind, id);
  const data = kind.data[event.type as Event['type']].parse(event.data);
  // The first event needs no reading: it can only stand at the beginning. This is the hot path of a trigger.
  let head: Head<State> = { state: undefined, seq: 0, hash: GENESIS_HASH };
  for (let race = 0; race < MAX_RACES; race++) {
    if (race > 0 || event.type !== kind.first) {
      const standing = await readStanding(db, kind, id, event.dedupe_key);
      if (standing.event) return { event: standing.event, repeated: true };
      head = standing.head;
    }
    const next = kind.evolve(head.state, event);
    const body = {
      stream,
      seq: head.seq + 1,
      type: event.type,
      from_status: head.state && head.state.status !== next.status ? head.state.status : null,
      to_status: head.state?.status !== next.status ? next.status : null,
      data,
      occurred_at: event.occurred_at,
      recorded_at: new Date().toISOString(),
      dedupe_key: event.dedupe_key,
      previous_hash: head.hash,
    };
    const told = { ...body, hash: eventHash(body) };
    const position = await insert(db, kind, told, kind.rowOf(next, told));
    if (position !== undefined) return { event: { ...told, position }, repeated: false, state: next };
  }
  throw new Error(`${stream}: lost ${MAX_RACES} races for its next number`);
}

interface Head<State> {
  state: State | undefined;
  seq: number;
  hash: string;
}

/** The event with this dedupe key, if it has been told, and the head of its stream, both as of one moment. */
async function readStanding<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
  key: string,
): Promise<{ event: RecordedEvent | null; head: Head<State> }> {
  const [found] = await db
    .select({ row: getTableColumns(kind.table), event: getTableColumns(events) })
    .from(kind.table)
    .leftJoin(events, and(eq(events.stream, streamOf(kind, id)), eq(events.dedupe_key, key)))
    .where(eq(kind.table.id, id));
  if (!found) return { event: null, head: { state: undefined, seq: 0, hash: GENESIS_HASH } };
  const row = found.row as unknown as ProjectionRow;
  const event = found.event as RecordedEvent | null;
  return { event, head: { state: kind.stateOf(row), seq: row.last_seq, hash: row.last_hash } };
}

async function insert(
  db: Db,
  kind: AnyStreamKind,
  event: Omit<RecordedEvent, 'position'>,
  row: ProjectionRow,
): Promise<number | undefined> {
  const [inserted] = await db.execute<{ position: string }>(sql`
    WITH appended AS (
      INSERT INTO events (stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
      SELECT stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash
      FROM jsonb_populate_record(NULL::events, ${JSON.stringify(event)}::jsonb) AS told
      WHERE NOT EXISTS (SELECT FROM events WHERE stream = told.stream AND (dedupe_key = told.dedupe_key OR seq = told.seq))
      ON CONFLICT DO NOTHING
      RETURNING position
    ), projected AS (
      INSERT INTO ${kind.projection}
      SELECT state.* FROM appended, jsonb_populate_record(NULL::${kind.projection}, ${JSON.stringify(row)}::jsonb) AS state
      ON CONFLICT (id) DO UPDATE SET ${kind.overwrite}
    )
    SELECT position FROM appended`);
  return inserted && Number(inserted.position);
}
