import type { RecordedEvent, ToldEvent } from '../../contracts/builds/event.ts';
import { eventHash, GENESIS_HASH } from '../../domain/record/hash.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import { storable } from '../../domain/record/storable.ts';
import { assertExpected, type ExpectedStream, ForeignStream, RecordSetBack } from '../../domain/record/stream-fault.ts';
import type { Db } from '../database.ts';
import { eventFromJson } from './event-json.ts';
import { type Head, streamHeads } from './stream-heads.ts';
import { type Identified, type ProjectionRow, type StreamKind, streamOf } from './stream-kind.ts';

/** The outcome of appending an event. `repeated`: it was appended before, and `event` is the one from then. */
export interface Appended<State> {
  event: RecordedEvent;
  repeated: boolean;
  /** The state after the event; undefined if it was repeated. */
  state?: State;
}

/** Who loses this many races for the next number of a stream faces a fault, not a busy stream. */
const MAX_RACES = 50;

/**
 * Appends an event and brings the projection of its stream up to date, in one statement, so that neither is ever without
 * the other. Appending an event again (same dedupe key) changes nothing. Two writers of one stream race for its next
 * number; the loser reads the stream and tries again.
 *
 * @param expected what the appender knows of the stream; it is checked before anything is appended.
 * @throws {IllegalEvent} if the event cannot follow the present state of the stream.
 * @throws {RecordSetBack} if the stream has lost events that the appender knows of, or all.
 * @throws {ForeignStream} if the stream belongs to another workflow.
 */
export async function appendEvent<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
  event: Event,
  expected: ExpectedStream = {},
): Promise<Appended<State>> {
  const stream = streamOf(kind, id);
  const heads = streamHeads(db);
  // Told by others in part: a message that was cut within a character must not keep the event out of the record.
  const data = storable(kind.data[event.type as Event['type']].parse(event.data));
  const recalled = heads.recall(stream) as Head<State> | undefined;
  // The first event of a stream needs no reading: it can only stand at the beginning. This is the hot path of a trigger.
  const guess = event.type !== kind.first ? recalled : recalled ? undefined : GENESIS;
  const guessed = guess && (await appendAt(guess).catch(unlessWrong));
  if (guessed) return guessed;
  for (let race = 0; race < MAX_RACES; race++) {
    const existing = await readExisting(db, kind, id, event.dedupe_key);
    assertExpected(stream, existing.head, expected);
    if (existing.event) return { event: existing.event, repeated: true };
    const appended = await appendAt(existing.head);
    if (appended) return appended;
  }
  throw new Error(
    `${stream}: lost ${MAX_RACES} races for its next number; where nobody else tells it, \`hapax rebuild\` mends its head`,
  );

  /** Appends behind this head; undefined if the stream ends elsewhere, or has the event already. */
  async function appendAt(head: Head<State>): Promise<Appended<State> | undefined> {
    assertExpected(stream, head, expected);
    const { state, seq, hash: previous_hash } = head;
    if (!state && event.type !== kind.first) {
      throw new RecordSetBack(`${stream} has no events, so ${event.type} cannot follow: the database was set back`);
    }
    const next = kind.evolve(state, { ...event, data } as Event);
    const body = {
      stream,
      seq: seq + 1,
      type: event.type,
      from_status: state && state.status !== next.status ? state.status : null,
      to_status: state?.status !== next.status ? next.status : null,
      data,
      occurred_at: event.occurred_at,
      recorded_at: new Date().toISOString(),
      dedupe_key: event.dedupe_key,
      previous_hash,
    };
    const hash = eventHash(body);
    const newHead = { seq: body.seq, hash };
    const row = kind.rowOf(next, newHead);
    const json = JSON.stringify(row);
    const position = await insert(db, kind.table, { ...body, hash }, json, Object.keys(row));
    if (position === undefined) return undefined;
    heads.keep(stream, { ...newHead, state: next }, json.length);
    return { event: { ...body, hash, position }, repeated: false, state: next };
  }
}

const GENESIS: Head<never> = { state: undefined, seq: 0, hash: GENESIS_HASH };

/** An event that cannot follow the guessed head may follow the real one, and the real one may be as it is expected. */
function unlessWrong(error: unknown): undefined {
  const isWrong = [IllegalEvent, RecordSetBack, ForeignStream].some((Wrong) => error instanceof Wrong);
  if (!isWrong) throw error;
}

/** The event with this dedupe key, if there is one, and the head of its stream, both as of one moment. */
async function readExisting<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
  key: string,
): Promise<{ event: RecordedEvent | null; head: Head<State> }> {
  const [row] = await db<Array<ProjectionRow & { found_event: RecordedEvent | null }>>`
    SELECT projected.*, to_jsonb(events) AS found_event
    FROM ${db(kind.table)} AS projected LEFT JOIN events ON stream = ${streamOf(kind, id)} AND dedupe_key = ${key}
    WHERE projected.id = ${id}`;
  if (!row) return { event: null, head: { state: undefined, seq: 0, hash: GENESIS_HASH } };
  const { found_event, ...projected } = row;
  const head = { state: kind.stateOf(projected), seq: row.last_seq, hash: row.last_hash };
  return { event: found_event && eventFromJson(found_event), head };
}

/** The subquery for the hash before is scalar on purpose: under OR, an EXISTS may be planned as a hash of the whole log. */
async function insert(
  db: Db,
  table: string,
  event: Omit<RecordedEvent, 'position'>,
  row: string,
  columns: string[],
): Promise<number | undefined> {
  // Sorted, so that Postgres sees one statement however a state was made.
  const changed = columns.filter((name) => name !== 'id').sort();
  const overwrite = db.unsafe(changed.map((name) => `${name} = excluded.${name}`).join(', '));
  const [inserted] = await db<Array<{ position: number }>>`
    WITH appended AS (
      INSERT INTO events (stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
      SELECT stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash
      FROM jsonb_populate_record(NULL::events, ${JSON.stringify(event)}::jsonb) AS told
      WHERE NOT EXISTS (SELECT FROM events WHERE stream = told.stream AND (dedupe_key = told.dedupe_key OR seq = told.seq))
        AND (told.seq = 1 OR told.previous_hash = (SELECT hash FROM events WHERE stream = told.stream AND seq = told.seq - 1))
      ON CONFLICT DO NOTHING
      RETURNING position
    ), projected AS (
      INSERT INTO ${db(table)}
      SELECT state.* FROM appended, jsonb_populate_record(NULL::${db(table)}, ${row}::jsonb) AS state
      ON CONFLICT (id) DO UPDATE SET ${overwrite}
    )
    SELECT position FROM appended`;
  return inserted?.position;
}
