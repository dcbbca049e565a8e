import type { RecordedEvent, ToldEvent } from '../../contracts/builds/event.ts';
import { eventHash, GENESIS_HASH } from '../../domain/record/hash.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import { type KeptValues, sealData, unsealed } from '../../domain/record/sealed.ts';
import { storable } from '../../domain/record/storable.ts';
import {
  assertExpected,
  type ExpectedStream,
  ForeignStream,
  RecordSetBack,
  type StreamOwner,
  StreamWentOn,
} from '../../domain/record/stream-fault.ts';
import { type Db, databaseFault } from '../database.ts';
import { announceAppended } from './append-listeners.ts';
import { eventFromJson } from './event-json.ts';
import { type Head, streamHeads } from './stream-heads.ts';
import { dataOf, type Identified, type ProjectionRow, type StreamKind, streamOf } from './stream-kind.ts';
import type { ToldRow } from './told-event.ts';

/** The outcome of appending an event. `repeated`: it was appended before, and `event` is the earlier one. */
export interface Appended<State> {
  event: RecordedEvent;
  repeated: boolean;
  /** Number of the appended event (of its follower, if it has one), or of the existing event. */
  seq: number;
  /** The state after the event; undefined if it was repeated. */
  state?: State;
}

/** The outcome of appending several events. */
export interface AllAppended<State> {
  /** Number of the last event of the stream. */
  seq: number;
  state: State;
  /** Whether the stream had all of them before. */
  repeated: boolean;
}

/** A writer that loses this many races for the next number of a stream faces a fault, not a busy stream. */
const MAX_RACES = 50;

/**
 * Appends an event and updates the projection of its stream in one statement, so that neither exists without the other.
 * Appending an event again (same dedupe key) changes nothing. Two writers of one stream race for its next number; the loser
 * reads the stream and tries again.
 *
 * @param expected what the appender knows about the stream; checked before anything is appended.
 * @param follower goes directly after the event, in the same statement, unless the event already exists.
 * @throws {IllegalEvent} if the event cannot follow the present state of the stream. @throws {NotRecordable} if its data does not fit.
 * @throws {RecordSetBack} if the stream has lost some or all events that the appender knows of.
 * @throws {ForeignStream} if the stream belongs to another workflow. @throws {StreamWentOn} if it has more events than expected.
 */
export async function appendEvent<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
  event: Event,
  expected: ExpectedStream = {},
  follower?: Event,
): Promise<Appended<State>> {
  // The first event of a stream needs no reading: it can only be at the beginning. This is the hot path of a trigger.
  const guess = (recalled: Head<State> | undefined) =>
    event.type !== kind.first ? recalled : recalled ? undefined : GENESIS;
  const isFollowed = follower !== undefined;
  const told = isFollowed ? [event, follower] : [event];
  return append({ db, kind, id, expected, isFollowed }, told, guess, ({ existing, appended, head }) => {
    const repeat = existing.find(({ dedupe_key }) => dedupe_key === event.dedupe_key);
    if (repeat) return { event: repeat, seq: repeat.seq, repeated: true };
    return { event: appended[0]!, seq: head.seq, repeated: false, state: head.state as State };
  });
}

/**
 * Appends the events that the stream does not have yet, in their order and in one statement: all of them or none. Otherwise
 * it works like {@link appendEvent}. Do not call it inside a transaction: a lost race would break that.
 */
export async function appendEvents<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
  events: readonly Event[],
  expected: ExpectedStream = {},
): Promise<AllAppended<State>> {
  return append(
    { db, kind, id, expected, isFollowed: false },
    events,
    (recalled) => recalled,
    ({ appended, head }) => ({
      seq: head.seq,
      state: head.state as State,
      repeated: appended.length === 0,
    }),
  );
}

interface Target<State extends Identified, Event extends ToldEvent> {
  db: Db;
  kind: StreamKind<State, Event>;
  id: State['id'];
  expected: ExpectedStream;
  /** Whether the other events only follow the first one: they are not appended without it. */
  isFollowed: boolean;
}

interface Outcome<State> {
  existing: RecordedEvent[];
  appended: RecordedEvent[];
  head: Head<State>;
}

/** @param guess where the stream probably ends, given what this process appended last; undefined if it has to be read. */
async function append<State extends Identified, Event extends ToldEvent, Answer>(
  target: Target<State, Event>,
  events: readonly Event[],
  guess: (recalled: Head<State> | undefined) => Head<State> | undefined,
  answer: (outcome: Outcome<State>) => Answer,
): Promise<Answer> {
  const { db, kind, id, expected, isFollowed } = target;
  const stream = streamOf(kind, id);
  // Parts of events come from other systems. A message that was cut within a character must not keep the event out of the record.
  const told = events.map((event) => ({ ...event, data: storable(dataOf(kind, event)) })) as Event[];
  const recalled = streamHeads(db).recall(stream) as Head<State> | undefined;
  if (recalled && events.length === 1 && events[0]!.type === kind.first) {
    // The workflow of a build records its first event too, mostly in the process that has just appended it.
    const first = streamHeads(db).takeFirst(stream);
    if (first?.dedupe_key === events[0]!.dedupe_key && isExpected(stream, recalled, expected)) {
      return answer({ existing: [first], appended: [], head: recalled });
    }
  }
  const guessed = guess(recalled);
  if (guessed) {
    // An existing stream has its first event.
    const missing = guessed.state ? told.filter(({ type }) => type !== kind.first) : told;
    const appended = await appendBehind(target, guessed, missing).catch(unlessWrong);
    if (appended) return answer({ existing: [], ...appended });
  }
  for (let race = 0; race < MAX_RACES; race++) {
    const found = await readExisting(target, told);
    assertExpected(stream, found.head, expected);
    const known = new Set(found.events.map(({ dedupe_key }) => dedupe_key));
    const isRepeated = isFollowed && known.has(told[0]!.dedupe_key);
    const missing = isRepeated ? [] : told.filter(({ dedupe_key }) => !known.has(dedupe_key));
    if (missing.length === 0) return answer({ existing: found.events, appended: [], head: found.head });
    const appended = await appendBehind(target, found.head, missing);
    if (appended) return answer({ existing: found.events, ...appended });
  }
  throw new Error(
    `${stream}: lost ${MAX_RACES} races for its next number; where nobody else tells it, \`hapax rebuild\` mends its head`,
  );
}

/** Appends after this head; returns undefined if the stream ends elsewhere, or already has one of the events. */
async function appendBehind<State extends Identified, Event extends ToldEvent>(
  { db, kind, id, expected }: Target<State, Event>,
  head: Head<State>,
  told: readonly Event[],
): Promise<Omit<Outcome<State>, 'existing'> | undefined> {
  const stream = streamOf(kind, id);
  assertExpected(stream, head, expected);
  let end = head;
  const bodies: Body[] = [];
  for (const event of told) {
    const { state, seq, hash: previous_hash } = end;
    if (!state && event.type !== kind.first) {
      throw new RecordSetBack(`${stream} has no events, so ${event.type} cannot follow: the database was set back`);
    }
    const next = kind.evolve(state, event);
    const { data, kept } = sealData(event.type, event.data as Record<string, unknown>, newSalt);
    const logged = {
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
    end = { state: next, seq: logged.seq, hash: eventHash(logged) };
    bodies.push({ logged: { ...logged, hash: end.hash }, kept });
  }
  const row = kind.rowOf(end.state as State, end);
  const json = JSON.stringify(row);
  const positions = await insert(db, kind.table, bodies, json, Object.keys(row));
  if (!positions) return undefined;
  const appended = bodies.map(({ logged, kept }, n) => unsealed({ ...logged, position: positions[n]! }, kept));
  streamHeads(db).keep(stream, end, json.length);
  if (end.seq === 1) streamHeads(db).keepFirst(stream, appended[0]!);
  announceAppended(db, appended);
  return { appended, head: end };
}

/** An event without its position, and the values that are kept beside it. */
interface Body {
  logged: Omit<RecordedEvent, 'position'>;
  kept: KeptValues | undefined;
}

function newSalt(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex');
}

const GENESIS: Head<never> = { state: undefined, seq: 0, hash: GENESIS_HASH };

/**
 * Ignores errors that come from a wrong guess. An event that cannot follow the guessed head may follow the real one, and the real
 * head may be the expected one.
 */
function unlessWrong(error: unknown): undefined {
  const isWrong = [IllegalEvent, RecordSetBack, ForeignStream, StreamWentOn].some((Wrong) => error instanceof Wrong);
  if (!isWrong) throw error;
}

/** Says whether a recalled head is the expected one. If not, it may be out of date. */
function isExpected(stream: string, head: Head<Partial<StreamOwner>>, expected: ExpectedStream): boolean {
  try {
    assertExpected(stream, head, expected);
    return true;
  } catch {
    return false;
  }
}

/** Reads which of the events the stream already has, and its head, both as of one moment. */
async function readExisting<State extends Identified, Event extends ToldEvent>(
  { db, kind, id }: Target<State, Event>,
  told: readonly Event[],
): Promise<{ events: RecordedEvent[]; head: Head<State> }> {
  const keys = told.map(({ dedupe_key }) => dedupe_key);
  const rows = await db<Array<ProjectionRow & { found_event: ToldRow | null }>>`
    SELECT projected.*, to_jsonb(events) AS found_event
    FROM ${db(kind.table)} AS projected LEFT JOIN told_events AS events ON stream = ${streamOf(kind, id)} AND dedupe_key IN ${db(keys)}
    WHERE projected.id = ${id}`;
  const [row] = rows;
  if (!row) return { events: [], head: GENESIS };
  const { found_event: _, ...projected } = row;
  return {
    events: rows.flatMap(({ found_event }) => (found_event ? [eventFromJson(found_event)] : [])),
    head: { state: kind.stateOf(projected), seq: row.last_seq, hash: row.last_hash },
  };
}

/**
 * Returns the positions of the events, or undefined if one of them lost a race. If there are several, a conflict fails the
 * statement, so none is inserted. The subquery for the previous hash is scalar on purpose: under OR, Postgres may plan an
 * EXISTS as a hash of the whole log.
 */
async function insert(
  db: Db,
  table: string,
  bodies: readonly Body[],
  row: string,
  columns: string[],
): Promise<number[] | undefined> {
  const told = bodies.map(({ logged }) => logged);
  const { stream, seq, previous_hash } = told[0]!;
  const values = bodies.flatMap(({ logged, kept }) => (kept ? [{ seq: logged.seq, ...kept }] : []));
  const keys = told.map(({ dedupe_key }) => dedupe_key);
  // Sorted, so that Postgres sees one statement however a state was made. Named, so that a column of a later version gets its default.
  const known = columns.toSorted();
  const names = db.unsafe(known.join(', '));
  const changed = known.filter((name) => name !== 'id');
  const overwrite = db.unsafe(changed.map((name) => `${name} = excluded.${name}`).join(', '));
  const inserting = db<Array<{ position: number }>>`
    WITH appended AS (
      INSERT INTO events (stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
      SELECT stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash
      FROM jsonb_populate_recordset(NULL::events, ${JSON.stringify(told)}::jsonb)
      WHERE NOT EXISTS (SELECT FROM events WHERE stream = ${stream} AND (dedupe_key IN ${db(keys)} OR seq = ${seq}))
        AND (${seq} = 1 OR ${previous_hash} = (SELECT hash FROM events WHERE stream = ${stream} AND seq = ${seq - 1}))
      ${told.length === 1 ? db`ON CONFLICT DO NOTHING` : db``}
      RETURNING position, seq
    ), ${
      values.length === 0
        ? db``
        : db`kept AS (
      INSERT INTO event_values (position, salt, told)
      SELECT position, salt, given.told FROM appended
      JOIN jsonb_to_recordset(${JSON.stringify(values)}::jsonb) AS given (seq integer, salt text, told jsonb) USING (seq)
    ), `
    }projected AS (
      INSERT INTO ${db(table)} (${names})
      SELECT ${names} FROM (SELECT FROM appended LIMIT 1) AS done, jsonb_populate_record(NULL::${db(table)}, ${row}::jsonb) AS state
      ON CONFLICT (id) DO UPDATE SET ${overwrite}
    )
    SELECT position FROM appended ORDER BY position`;
  const inserted = await inserting.catch((error: unknown) => {
    if (!isTaken(error)) throw error;
    return [];
  });
  return inserted.length === told.length ? inserted.map(({ position }) => position) : undefined;
}

/** Says whether another writer took a number or a dedupe key of the log at the same moment. */
function isTaken(error: unknown): boolean {
  const fault = databaseFault(error);
  return fault?.kind === 'conflict' && (fault.constraint ?? '').startsWith('events_stream_');
}
