import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import type { RecordedEvent } from '../../src/contracts/builds/event.ts';
import { eventHash } from '../../src/domain/record/hash.ts';
import { createMetrics } from '../../src/processes/metrics.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { type Database, type Db, openDatabase } from '../../src/store/database.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { rebuildProjection } from '../../src/store/record/projection-rebuild.ts';
import { verifyStream } from '../../src/store/record/stream-verify.ts';
import { openGate } from '../world/open-gate.ts';
import { DATABASES, openTestDatabase } from '../world/world.ts';
import { at, canonical, hapax, sha256, tell } from './told-builds.ts';

const TEMPORAL_UI = { url: undefined, namespace: 'default' };

/** The routes over a database; nothing else of the API is there. */
function serving(db: Db) {
  const log = { child: () => ({ debug() {}, error() {} }) };
  const meter = createMetrics(db);
  const api = createApi({
    db,
    log,
    meter,
    gate: openGate(db),
    trustedHosts: [],
    policy: {},
    temporalUi: TEMPORAL_UI,
  } as never);
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came, whatever its form.
  return async (path: string): Promise<{ status: number; json: any }> => {
    const answer = await api.request(path, { headers: { host: 'localhost' } });
    return { status: answer.status, json: await answer.json() };
  };
}

describe.each(DATABASES)('proof of the record on the %s Postgres', (kind) => {
  let world: Awaited<ReturnType<typeof openTestDatabase>>;
  let owner: postgres.Sql;
  /** As who runs `hapax rebuild`. */
  let rebuilder: Database;
  let get: ReturnType<typeof serving>;

  beforeAll(async () => {
    world = await openTestDatabase(kind);
    owner = postgres(world.url, { max: 1, onnotice: () => {} });
    rebuilder = openDatabase({ url: world.url, connections: 1 });
    get = serving(world.db);
    for (const id of [1, 2, 3, 4]) await tell(world.db, id);
    await tell(world.db, 5, 6, 'failure');
    await tell(world.db, 6, 2);
  });
  afterAll(async () => {
    await rebuilder.close();
    await owner.end();
    await world.close();
  });

  /** On the one session of the embedded Postgres, the role the others work under comes back. */
  async function asOwner<T>(work: () => Promise<T>): Promise<T> {
    await owner`RESET ROLE`;
    try {
      return await work();
    } finally {
      await owner`SET ROLE hapax_runtime`;
    }
  }

  /** Past every refusal, as somebody with all rights can. */
  async function force(...statements: string[]): Promise<void> {
    await asOwner(async () => {
      await owner`ALTER TABLE events DISABLE TRIGGER ALL`;
      for (const statement of statements) await owner.unsafe(statement);
      await owner`ALTER TABLE events ENABLE TRIGGER ALL`;
    });
  }

  /** What a build is after forcing; what stood before comes back. */
  async function tampered(id: number, ...statements: string[]) {
    const stream = `build:${id}`;
    await force(
      `CREATE TABLE kept_events AS SELECT * FROM events WHERE stream = '${stream}'`,
      `CREATE TABLE kept_builds AS SELECT * FROM builds WHERE id = ${id}`,
      ...statements,
    );
    try {
      const { json } = await get(`/builds/${id}/verify`);
      const audit = kind === 'server' ? await hapax(['audit', 'verify'], { DATABASE_URL: world.url }) : undefined;
      return { proof: json, audit };
    } finally {
      await force(
        `DELETE FROM events WHERE stream = '${stream}' OR position > (SELECT max(position) FROM kept_events) + 1000`,
        'INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM kept_events',
        `DELETE FROM builds WHERE id = ${id}`,
        'INSERT INTO builds SELECT * FROM kept_builds',
        'DROP TABLE kept_events, kept_builds',
      );
    }
  }

  type Shown = { timestamp: string; recorded_at: string; to_status?: string };
  const shown = async (id: number): Promise<Shown[]> => (await get(`/builds/${id}`)).json.events;

  /** What a list shows of a build, taken from the response about it alone. */
  const summaryOf = (single: Record<string, unknown>) => {
    const { events, waits_for, failed_jobs, commit, artifacts, links, workflow_id, ...summary } = single;
    return summary;
  };

  it('gives a build as it was at every time that its events show, with that event', async () => {
    const now = (await get('/builds/1')).json;
    for (const [index, event] of (await shown(1)).entries()) {
      for (const then of [event.timestamp, event.recorded_at]) {
        const { status, json } = await get(`/builds/1?at=${then}`);
        expect(status).toBe(200);
        // Events of one millisecond are there together.
        expect(json.events.length).toBeGreaterThan(index);
        expect(json.events).toEqual(now.events.slice(0, json.events.length));
        const { status: expected } = json.events.reduce(
          (state: object, one: Shown) => (one.to_status ? { status: one.to_status } : state),
          {},
        );
        expect(json.status).toBe(expected);
      }
      expect((await get(`/builds/1?at=${event.timestamp}`)).json.events).toHaveLength(index + 1);
    }
    expect((await get(`/builds/1?at=${new Date().toISOString()}`)).json).toEqual(now);
  });

  it('does so, too, for events of processes whose clocks differ', async () => {
    const stand = await shown(4);
    const early = new Date(Date.parse(stand[0]!.timestamp) - 30_000).toISOString();
    const late = new Date(Date.now() + 600_000).toISOString();
    const told = (occurred_at: string, dedupe_key: string) =>
      appendEvent(world.db, BUILDS, 4, {
        type: 'callback_delivered',
        data: { webhook_id: 'msg_1', attempt: 1, status: 200 },
        occurred_at,
        dedupe_key,
      });
    await told(late, 'by a clock that is fast');
    await told(early, 'by a clock that is slow');
    const events = await shown(4);
    for (const [index, { timestamp, recorded_at }] of events.entries()) {
      for (const then of [timestamp, recorded_at]) {
        const single = (await get(`/builds/4?at=${then}`)).json;
        expect(single.events.length).toBeGreaterThan(index);
        const listed = (await get(`/builds?at=${then}`)).json.builds;
        const summary = summaryOf(single);
        expect(listed).toContainEqual(summary);
      }
    }
  });

  it('does not know a build before it happened', async () => {
    const [first] = await shown(1);
    const before = new Date(Date.parse(first!.timestamp) - 1).toISOString();
    expect((await get(`/builds/1?at=${before}`)).status).toBe(404);
    expect((await get('/builds?at=2026-11-21T09:00:00Z')).json).toEqual({ builds: [], next_cursor: null });
    expect((await get('/builds/1?at=yesterday')).status).toBe(400);
    expect((await get('/builds/404?at=2030-01-01T00:00:00Z')).status).toBe(404);
  });

  it('lists builds as they were: each as the single one, with its filters and pages', async () => {
    const all = [...(await shown(1)), ...(await shown(3)), ...(await shown(6))];
    for (const then of all.flatMap(({ timestamp, recorded_at }) => [timestamp, recorded_at])) {
      const { json } = await get(`/builds?at=${then}`);
      const singles = [];
      for (const id of [6, 5, 4, 3, 2, 1]) {
        const { status, json: single } = await get(`/builds/${id}?at=${then}`);
        const summary = summaryOf(single);
        if (status === 200) singles.push(summary);
      }
      expect(json.builds).toEqual(singles);
      for (const filter of ['status=queued', 'status=in_progress', 'status=success', 'ref=dev']) {
        const [name = '', value] = filter.split('=');
        const matching = singles.filter((one) => one[name] === value);
        expect((await get(`/builds?at=${then}&${filter}`)).json.builds, filter).toEqual(matching);
      }
    }
    const now = new Date().toISOString();
    const seen: number[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await get(`/builds?at=${now}&limit=2${cursor}`);
      seen.push(...json.builds.map(({ id }: { id: number }) => id));
      if (!json.next_cursor) break;
      cursor = `&cursor=${json.next_cursor}`;
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
    expect((await get(`/builds?at=${now}`)).json).toEqual((await get('/builds')).json);
  });

  /** Data of an event without the values that are kept beside the log. */
  function leftOf(data: object, fields: string[]): object {
    const left = structuredClone(data) as Record<string, unknown>;
    for (const field of fields) {
      const [outer = '', inner] = field.split('.');
      if (inner === undefined) delete left[outer];
      else delete (left[outer] as Record<string, unknown>)[inner];
    }
    return left;
  }

  it('shows enough of each event to recompute the chain elsewhere', async () => {
    const { json } = await get('/builds/2/events');
    let previous = '0'.repeat(64);
    for (const event of json) {
      const { seq, event_type: type, from_status = null, to_status = null, event_data = {}, sealed } = event;
      const data = sealed ? { ...leftOf(event_data, sealed.fields), sealed: sealed.digest } : event_data;
      const { timestamp: occurred_at, recorded_at, dedupe_key, previous_hash } = event;
      const covered = { stream: 'build:2', seq, type, from_status, to_status, data, occurred_at, recorded_at };
      expect(previous_hash).toBe(previous);
      expect(event.hash).toBe(sha256(canonical({ ...covered, dedupe_key, previous_hash })));
      previous = event.hash;
    }
    expect((await get('/builds/2/verify')).json).toEqual({ valid: true, length: 6, head: previous });
    expect((await get('/builds/404/verify')).status).toBe(404);
  });

  it('answers 503 where the database is away', async () => {
    const { db, close } = openDatabase({ url: 'postgres://127.0.0.1:1/none', connections: 1 });
    const answer = await serving(db)('/builds/2/verify');
    expect([answer.status, answer.json.code]).toEqual([503, 'database_unavailable']);
    await close();
  });

  /** A statement that changes an event and makes its own hash fit. */
  async function forgedWithHash(id: number, seq: number, change: (event: RecordedEvent) => object): Promise<string> {
    const [event] =
      (await world.db`SELECT * FROM events WHERE stream = ${`build:${id}`} AND seq = ${seq}`) as unknown as RecordedEvent[];
    const times = {
      occurred_at: new Date(event!.occurred_at).toISOString(),
      recorded_at: new Date(event!.recorded_at).toISOString(),
    };
    const forged = { ...event!, ...times, ...change(event!) };
    const { position: _position, hash: _hash, ...covered } = forged;
    return `UPDATE events SET data = '${JSON.stringify(forged.data)}', hash = '${eventHash(covered as RecordedEvent)}'
      WHERE stream = 'build:${id}' AND seq = ${seq}`;
  }

  const of = (id: number, seq: number) => `stream = 'build:${id}' AND seq = ${seq}`;
  const TAMPERINGS: Array<
    [what: string, seq: number, message: RegExp, statements: () => string[] | Promise<string[]>]
  > = [
    [
      'changed data',
      4,
      /was changed/,
      () => [`UPDATE events SET data = data || '{"run_status": "x"}' WHERE ${of(2, 4)}`],
    ],
    ['a changed status', 6, /was changed/, () => [`UPDATE events SET to_status = 'failure' WHERE ${of(2, 6)}`]],
    ['a removed event', 3, /event 3 is missing/, () => [`DELETE FROM events WHERE ${of(2, 3)}`]],
    [
      'a removed end',
      6,
      /event 6 is missing: the stored state goes up to event 6/,
      () => [`DELETE FROM events WHERE ${of(2, 6)}`],
    ],
    ['a removed stream', 1, /event 1 is missing/, () => [`DELETE FROM events WHERE stream = 'build:2'`]],
    [
      'two exchanged events',
      4,
      /was changed/,
      () => [
        `UPDATE events SET seq = 100 WHERE ${of(2, 4)}`,
        `UPDATE events SET seq = 4 WHERE ${of(2, 5)}`,
        `UPDATE events SET seq = 5 WHERE ${of(2, 100)}`,
      ],
    ],
    ['an event of another build', 7, /was changed/, () => [inserted(7, "stream = 'build:1' AND seq = 6")]],
    [
      'an event with its hash recomputed',
      5,
      /does not continue event 4/,
      async () => [await forgedWithHash(2, 4, ({ data }) => ({ data: { ...data, run_status: 'x' } }))],
    ],
    [
      'the last event with its hash recomputed',
      6,
      /was replaced/,
      async () => [await forgedWithHash(2, 6, ({ data }) => ({ data: { ...data, conclusion: 'failure' } }))],
    ],
    [
      'an event added with a fitting hash',
      7,
      /added without its stored state/,
      async () => {
        const [last] = (await world.db`SELECT hash FROM events WHERE stream = 'build:2' AND seq = 6`) as unknown as {
          hash: string;
        }[];
        const event = {
          stream: 'build:2',
          seq: 7,
          type: 'build_dead_lettered',
          from_status: null,
          to_status: null,
          data: { reason: 'x', attempts: 1 },
          occurred_at: at(1),
          recorded_at: at(2),
          dedupe_key: 'added',
          previous_hash: last!.hash,
        };
        const row = JSON.stringify({ ...event, hash: eventHash(event), position: 1_000_000 });
        return [
          `INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_record(NULL::events, '${row}')`,
        ];
      },
    ],
    [
      'a changed projection',
      6,
      /differs from what the events give: status/,
      () => ["UPDATE builds SET status = 'failure' WHERE id = 2"],
    ],
    ['a removed projection', 6, /no stored state/, () => ['DELETE FROM builds WHERE id = 2']],
  ];
  const inserted = (seq: number, from: string) =>
    `INSERT INTO events (stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
     SELECT 'build:2', ${seq}, type, from_status, to_status, data, occurred_at, recorded_at, 'foreign', previous_hash, hash FROM events WHERE ${from}`;

  it.each(TAMPERINGS)('detects and names %s', async (_what, seq, message, statements) => {
    const { proof, audit } = await tampered(2, ...(await statements()));
    expect(proof).toMatchObject({ valid: false, fault: { seq, message: expect.stringMatching(message) } });
    if (audit) {
      expect(audit.code).toBe(1);
      expect(audit.stdout).toMatch(new RegExp(`^build:2 event ${seq}: .*${message.source}`, 'm'));
    }
    expect(await verifyStream(world.db, BUILDS, 2)).toMatchObject({ length: 6, fault: undefined });
  });

  const rows = () => world.db<Array<{ row: string }>>`SELECT builds::text AS row FROM builds ORDER BY id`;

  it('rebuilds the projection byte for byte, also after it was corrupted, and touches no equal row', async () => {
    const before = (await rows()).map(({ row }) => row);
    const untouched = await asOwner(() => rebuildProjection(rebuilder.db, BUILDS));
    expect(untouched).toEqual({ rows: 6, events: 34, corrected: 0, removed: 0 });
    await asOwner(async () => {
      // Each gets the unique key of the other.
      await owner.unsafe("UPDATE builds SET status = 'queued', request_key = 'between', last_seq = 99 WHERE id = 3");
      await owner.unsafe("UPDATE builds SET request_key = 'key-3' WHERE id = 6");
      await owner.unsafe("UPDATE builds SET request_key = 'key-6' WHERE id = 3");
      await owner.unsafe('DELETE FROM builds WHERE id = 4');
      await owner.unsafe(
        'INSERT INTO builds SELECT (jsonb_populate_record(builds, \'{"id": 77}\')).* FROM builds WHERE id = 2',
      );
    });
    expect((await rows()).map(({ row }) => row)).not.toEqual(before);
    const mended = await asOwner(() => rebuildProjection(rebuilder.db, BUILDS));
    expect(mended).toEqual({ rows: 6, events: 34, corrected: 3, removed: 1 });
    expect((await rows()).map(({ row }) => row)).toEqual(before);
    for (const id of [1, 2, 3, 4, 5, 6]) expect((await verifyStream(world.db, BUILDS, id))?.fault).toBeUndefined();
  });

  it('refuses to rebuild from a log that does not add up, and changes nothing', async () => {
    const before = await rows();
    const forged = await forgedWithHash(4, 1, ({ data }) => ({ data: { ...data, build_id: 5 } }));
    await force("CREATE TABLE kept AS SELECT * FROM events WHERE stream = 'build:4'", forged);
    await expect(asOwner(() => rebuildProjection(rebuilder.db, BUILDS))).rejects.toThrow(/build:4 event 1 .*build 5/);
    expect(await rows()).toEqual(before);
    await force(
      "DELETE FROM events WHERE stream = 'build:4'",
      'INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM kept',
      'DROP TABLE kept',
    );
  });
});
