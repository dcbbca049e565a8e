import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { type BuildEvent, buildEventData, type RecordedEvent } from '../contracts/event.ts';
import { type Build, evolve } from '../domain/build.ts';
import { eventHash, GENESIS_HASH } from '../domain/hash.ts';
import { buildFromRow, rowOfBuild } from './build-row.ts';
import type { Db } from './database.ts';
import { builds, events } from './schema.ts';

/** What became of telling an event. `repeated`: it had been told before; `event` is then the one that stands. */
export interface Appended {
  event: RecordedEvent;
  repeated: boolean;
  /** What the events add up to with this one; undefined where it was repeated. */
  build?: Build;
}

/** Losing this many races for the next number of one stream means that something is wrong, not that it is busy. */
const MAX_RACES = 50;

const PROJECTED = Object.keys(getTableColumns(builds)).filter((name) => name !== 'id');
const OVERWRITE = sql.raw(PROJECTED.map((name) => `${name} = excluded.${name}`).join(', '));

/** Stream of a build in the log. */
export function buildStream(id: number): string {
  return `build:${id}`;
}

/**
 * Appends an event of a build and brings its projection up to date, in one statement, so that neither is ever without
 * the other. Telling an event again (same dedupe key) changes nothing. Two tellers of one stream race for the next
 * number; the loser reads and tries again.
 *
 * @throws {IllegalEvent} where the event cannot follow what stands.
 */
export async function appendBuildEvent(db: Db, buildId: number, event: BuildEvent): Promise<Appended> {
  const stream = buildStream(buildId);
  const data = buildEventData[event.type].parse(event.data);
  // The first event needs no reading: it can only stand at the beginning. This is the hot path of a trigger.
  let head: Head = { build: undefined, seq: 0, hash: GENESIS_HASH };
  for (let race = 0; race < MAX_RACES; race++) {
    if (race > 0 || event.type !== 'build_queued') {
      const standing = await readStanding(db, buildId, event.dedupe_key);
      if (standing.event) return { event: standing.event, repeated: true };
      head = standing.head;
    }
    const next = evolve(head.build, event);
    const body = {
      stream,
      seq: head.seq + 1,
      type: event.type,
      from_status: head.build && head.build.status !== next.status ? head.build.status : null,
      to_status: head.build?.status !== next.status ? next.status : null,
      data,
      occurred_at: event.occurred_at,
      recorded_at: new Date().toISOString(),
      dedupe_key: event.dedupe_key,
      previous_hash: head.hash,
    };
    const hash = eventHash(body);
    const position = await insert(db, { ...body, hash }, next);
    if (position !== undefined) return { event: { ...body, hash, position }, repeated: false, build: next };
  }
  throw new Error(`${stream}: lost ${MAX_RACES} races for its next number`);
}

interface Head {
  build: Build | undefined;
  seq: number;
  hash: string;
}

/** The event with this dedupe key, if it has been told, and the head of its stream, both as of one moment. */
async function readStanding(db: Db, id: number, key: string): Promise<{ event: RecordedEvent | null; head: Head }> {
  const [row] = await db
    .select()
    .from(builds)
    .leftJoin(events, and(eq(events.stream, buildStream(id)), eq(events.dedupe_key, key)))
    .where(eq(builds.id, id));
  if (!row) return { event: null, head: { build: undefined, seq: 0, hash: GENESIS_HASH } };
  const { last_seq: seq, last_hash: hash } = row.builds;
  return { event: row.events, head: { build: buildFromRow(row.builds), seq, hash } };
}

async function insert(db: Db, event: Omit<RecordedEvent, 'position'>, build: Build): Promise<number | undefined> {
  const row = rowOfBuild(build, event);
  const [inserted] = await db.execute<{ position: string }>(sql`
    WITH appended AS (
      INSERT INTO events (stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
      SELECT stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash
      FROM jsonb_populate_record(NULL::events, ${JSON.stringify(event)}::jsonb) AS told
      WHERE NOT EXISTS (SELECT FROM events WHERE stream = told.stream AND (dedupe_key = told.dedupe_key OR seq = told.seq))
      ON CONFLICT DO NOTHING
      RETURNING position
    ), projected AS (
      INSERT INTO builds SELECT build.* FROM appended, jsonb_populate_record(NULL::builds, ${JSON.stringify(row)}::jsonb) AS build
      ON CONFLICT (id) DO UPDATE SET ${OVERWRITE}
    )
    SELECT position FROM appended`);
  return inserted && Number(inserted.position);
}
