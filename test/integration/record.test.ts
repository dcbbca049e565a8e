import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventTail } from '../../src/api/events/event-tail.ts';
import type { BuildEvent } from '../../src/contracts/builds/event.ts';
import { chainFault } from '../../src/domain/record/hash.ts';
import { IllegalEvent } from '../../src/domain/record/illegal-event.ts';
import { ForeignStream, RecordSetBack } from '../../src/domain/record/stream-fault.ts';
import { findBuild } from '../../src/store/builds/build-find.ts';
import { reserveBuildIds } from '../../src/store/builds/build-id-reserve.ts';
import { listBuilds } from '../../src/store/builds/build-list.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { saveConfiguration } from '../../src/store/builds/configuration-save.ts';
import { databaseFault, openDatabase } from '../../src/store/database.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { appendEvent, appendEvents } from '../../src/store/record/event-append.ts';
import { listEventsAfter } from '../../src/store/record/event-list-after.ts';
import { listEvents } from '../../src/store/record/event-list-by-stream.ts';
import { verifyStream } from '../../src/store/record/stream-verify.ts';
import { findTask } from '../../src/store/tasks/task-find.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { queuedBuild as queued } from '../world/queued-build.ts';
import { taskStory } from '../world/task-story.ts';
import { DATABASES, openTestDatabase } from '../world/world.ts';

const updated = (n: number): BuildEvent => ({
  type: 'run_updated',
  data: { run_status: `s${n}`, run_attempt: 1, learned_from: 'poll', request_id: null },
  occurred_at: '2026-11-21T10:00:01.000Z',
  dedupe_key: `run:${n}`,
});

describe.each(DATABASES)('the record on the %s Postgres', (kind) => {
  let world: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    world = await openTestDatabase(kind);
  });
  afterAll(() => world.close());

  it('plans the statement of an append once, however many events are appended', async () => {
    // One connection, as a server tells each only of its own statements.
    const { db, close } = openDatabase({ url: world.url, connections: 1 });
    try {
      for (let id = 900; id < 920; id++) await appendEvent(db, BUILDS, id, queued(id));
      const planned = await db<Array<{ uses: string }>>`
        SELECT generic_plans + custom_plans AS uses FROM pg_prepared_statements WHERE statement LIKE '%WITH appended%'`;
      expect(Math.max(...planned.map(({ uses }) => Number(uses)))).toBeGreaterThanOrEqual(20);
    } finally {
      await close();
    }
  });

  it.each([
    ['too short', 'a'.repeat(63)],
    ['with a line end', `${'a'.repeat(64)}\n`],
    ['in capitals', 'A'.repeat(64)],
    ['with other letters', 'g'.repeat(64)],
  ])('takes no hash that is %s', async (_, hash) => {
    const inserted = world.db`
      INSERT INTO events (stream, seq, type, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
      VALUES ('build:970', 1, 'build_queued', '{}', now(), now(), 'd', ${'0'.repeat(64)}, ${hash})`;
    await expect(inserted).rejects.toThrow('events_hash_check');
  });

  it('appends behind what another process told meanwhile, also what could not have followed before', async () => {
    const other = openDatabase({ url: world.url, connections: 1 });
    const failed = { conclusion: 'failure', run_attempt: 1, learned_from: 'poll', request_id: null } as const;
    const at = '2026-11-21T10:00:02.000Z';
    const retried = { retry: 1, mode: 'rerun', by: 'local', retry_id: 'r' } as const;
    try {
      await appendEvent(world.db, BUILDS, 960, queued(960));
      await appendEvent(other.db, BUILDS, 960, updated(1));
      await appendEvent(world.db, BUILDS, 960, updated(2));
      await appendEvent(other.db, BUILDS, 960, {
        type: 'build_completed',
        data: failed,
        occurred_at: at,
        dedupe_key: 'end',
      });
      await appendEvent(world.db, BUILDS, 960, {
        type: 'build_retried',
        data: retried,
        occurred_at: at,
        dedupe_key: 'again',
      });
      const told = await listEvents(world.db, 'build:960');
      expect(told.map(({ dedupe_key }) => dedupe_key)).toEqual(['queued', 'run:1', 'run:2', 'end', 'again']);
      expect(chainFault(told)).toBeUndefined();
    } finally {
      await other.close();
    }
  });

  it('leaves no gap where the database lost what this process told it, as one restored from a copy has', async () => {
    await appendEvent(world.db, BUILDS, 970, queued(970));
    const owner = postgres(world.url, { max: 1, onnotice: () => {} });
    const [row] = await owner`SELECT last_seq, last_hash FROM builds WHERE id = 970`;
    await appendEvent(world.db, BUILDS, 970, updated(1));
    try {
      await owner`RESET ROLE`;
      await owner`ALTER TABLE events DISABLE TRIGGER ALL`;
      await owner`DELETE FROM events WHERE stream = 'build:970' AND seq = 2`;
      await owner`UPDATE builds SET ${owner(row as never)} WHERE id = 970`;
    } finally {
      await owner`ALTER TABLE events ENABLE TRIGGER ALL`;
      await owner`SET ROLE hapax_runtime`;
      await owner.end();
    }
    await appendEvent(world.db, BUILDS, 970, updated(2));
    const told = await listEvents(world.db, 'build:970');
    expect(told.map(({ dedupe_key }) => dedupe_key)).toEqual(['queued', 'run:2']);
    expect(chainFault(told)).toBeUndefined();
  });

  it('names no statement where the URL forbids it, for poolers that keep none', async () => {
    const url = new URL(world.url);
    url.searchParams.set('prepare', 'false');
    const unprepared = openDatabase({ url: url.href, connections: 1 });
    try {
      await appendEvent(unprepared.db, BUILDS, 950, queued(950));
      const named = await unprepared.db`
        SELECT FROM pg_prepared_statements WHERE statement LIKE '%WITH appended%'
          AND prepare_time > (SELECT recorded_at FROM events WHERE stream = 'build:950')`;
      expect(named).toHaveLength(0);
    } finally {
      await unprepared.close();
    }
  });

  it('appends and projects together, and a repeat changes nothing', async () => {
    const first = await appendEvent(world.db, BUILDS, 1, queued(1));
    const again = await appendEvent(world.db, BUILDS, 1, queued(1));
    expect(first.repeated).toBe(false);
    expect(again).toEqual({ event: first.event, seq: first.event.seq, repeated: true });
    expect(await findBuild(world.db, 1)).toMatchObject({
      id: 1,
      status: 'queued',
      created_at: '2026-11-21T10:00:01.000Z',
    });
    expect(await listEvents(world.db, 'build:1')).toEqual([first.event]);
  });

  it('answers with the first event from memory where nothing followed it, but once: the database may have lost it', async () => {
    const { db, close } = openDatabase({ url: world.url, connections: 1 });
    const owner = { workflow_id: 'build-971', created_at: queued(971).occurred_at };
    const tell = () => appendEvent(db, BUILDS, 971, queued(971), { owner });
    const { event } = await tell();
    const theirs = { owner: { ...owner, workflow_id: 'build-other' } };
    await expect(appendEvent(db, BUILDS, 971, queued(971), theirs)).rejects.toBeInstanceOf(ForeignStream);
    await appendEvent(db, BUILDS, 972, queued(972));
    await close();
    expect(await appendEvent(db, BUILDS, 972, queued(972))).toMatchObject({ seq: 1, repeated: true });
    await expect(appendEvent(db, BUILDS, 972, queued(972))).rejects.toThrow('CONNECTION_ENDED');
    expect(await appendEvent(world.db, BUILDS, 971, queued(971), { owner })).toEqual({ event, seq: 1, repeated: true });
  });

  it('answers a repeat with what stands, not with what was told', async () => {
    const started = (at: string): BuildEvent => ({
      type: 'build_started',
      data: {},
      occurred_at: at,
      dedupe_key: 'started',
    });
    const { event } = await appendEvent(world.db, BUILDS, 1, started('2026-11-21T10:00:02.000Z'));
    const again = await appendEvent(world.db, BUILDS, 1, started('2026-11-21T11:00:00.000Z'));
    expect(again).toEqual({ event, seq: event.seq, repeated: true });
  });

  it('refuses an event that cannot follow, and records nothing of it', async () => {
    await expect(appendEvent(world.db, BUILDS, 404, updated(1))).rejects.toBeInstanceOf(RecordSetBack);
    expect(await listEvents(world.db, 'build:404')).toEqual([]);
    await appendEvent(world.db, BUILDS, 405, queued(405));
    const again = { ...queued(405), dedupe_key: 'queued-again' };
    await expect(appendEvent(world.db, BUILDS, 405, again)).rejects.toBeInstanceOf(IllegalEvent);
    expect(await listEvents(world.db, 'build:405')).toHaveLength(1);
  });

  it('keeps one gapless, sound chain however many tell at once', async () => {
    await appendEvent(world.db, BUILDS, 2, queued(2));
    const told = Array.from({ length: 30 }, (_, n) => updated(n));
    // Everything twice, all at once.
    await Promise.all([...told, ...told].map((event) => appendEvent(world.db, BUILDS, 2, event)));
    const events = await listEvents(world.db, 'build:2');
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 31 }, (_, n) => n + 1));
    expect(chainFault(events)).toBeUndefined();
    expect(await findBuild(world.db, 2)).toMatchObject({ run_status: events.at(-1)?.data.run_status });
  });

  it('takes several events at once, all or none, however many tell at once', async () => {
    const id = 950;
    const others = Array.from({ length: 3 }, () => openDatabase({ url: world.url }));
    const pairs = Array.from({ length: 24 }, (_, n) => [queued(id), updated(2 * n), updated(2 * n + 1)]);
    await Promise.all(pairs.map((told, n) => appendEvents([world, ...others][n % 4]!.db, BUILDS, id, told)));
    await Promise.all(others.map(({ close }) => close()));
    const events = await listEvents(world.db, `build:${id}`);
    expect(chainFault(events)).toBeUndefined();
    expect(events).toHaveLength(49);
    // Neither of two that were told together was parted from the other.
    const keys = events.slice(1).map(({ dedupe_key }) => Number(dedupe_key.split(':')[1]));
    for (let n = 0; n < keys.length; n += 2) expect(keys[n + 1]).toBe(keys[n]! + 1);
    const { seq, state } = await appendEvents(world.db, BUILDS, id, [updated(0), updated(99)]);
    expect([seq, state.run_status]).toEqual([50, 's99']);
    expect((await listEvents(world.db, `build:${id}`)).at(-1)).toMatchObject({ dedupe_key: 'run:99', seq: 50 });
  });

  it('is append-only: the database itself refuses to change, remove or truncate', async () => {
    // As the owner, who has every right that the runtime role lacks.
    const owner = postgres(world.url, { max: 1, onnotice: () => {} });
    try {
      await owner`RESET ROLE`;
      const before = await listEvents(world.db, 'build:1');
      for (const statement of [
        "UPDATE events SET type = 'x'",
        'DELETE FROM events',
        'TRUNCATE events',
        'TRUNCATE events CASCADE',
      ]) {
        await expect(owner.unsafe(statement)).rejects.toThrow(/append-only/);
      }
      expect(await listEvents(world.db, 'build:1')).toEqual(before);
      await owner`SET ROLE hapax_runtime`;
      for (const statement of [
        "UPDATE events SET type = 'x'",
        'DELETE FROM events',
        'TRUNCATE events',
        'DELETE FROM builds',
        'DROP TABLE events',
      ]) {
        await expect(owner.unsafe(statement)).rejects.toThrow(/permission denied|must be owner/);
      }
    } finally {
      await owner.end();
    }
  });

  it('gives away a change that was forced past the refusal', async () => {
    const owner = postgres(world.url, { max: 1, onnotice: () => {} });
    try {
      await owner`RESET ROLE`;
      await owner`ALTER TABLE events DISABLE TRIGGER ALL`;
      await owner`UPDATE events SET data = data || '{"run_status": "forged"}' WHERE stream = 'build:2' AND seq = 5`;
      expect(chainFault(await listEvents(world.db, 'build:2'))).toMatchObject({ seq: 5 });
    } finally {
      await owner`ALTER TABLE events ENABLE TRIGGER ALL`;
      await owner`SET ROLE hapax_runtime`;
      await owner.end();
    }
  });

  it('hands out every id once', async () => {
    const blocks = await Promise.all(Array.from({ length: 10 }, () => reserveBuildIds(world.db, 50)));
    expect(new Set(blocks.flat()).size).toBe(500);
  });

  it('holds an Idempotency-Key for one build for ever', async () => {
    await appendEvent(world.db, BUILDS, 10, queued(10, { keyed: true, request_key: 'K' }));
    await expect(appendEvent(world.db, BUILDS, 11, queued(11, { keyed: true, request_key: 'K' }))).rejects.toThrow();
    expect(await findBuild(world.db, 11)).toBeUndefined();
    expect(await listEvents(world.db, 'build:11')).toEqual([]);
  });

  it('tells what is new in several streams with one look', async () => {
    const news = await listEventsAfter(
      world.db,
      new Map([
        ['build:1', 1],
        ['build:2', 29],
        ['build:404', 0],
      ]),
    );
    expect(news.map(({ stream, seq }) => [stream, seq])).toEqual([
      ['build:1', 2],
      ['build:2', 30],
      ['build:2', 31],
    ]);
  });

  it('tells those who watch a stream of what this process appends without another look', async () => {
    await appendEvent(world.db, BUILDS, 980, queued(980));
    const told: string[] = [];
    const unwatch = new EventTail(world.db).watch('build:980', 1, ({ dedupe_key }) => told.push(dedupe_key));
    for (const n of [1, 2, 3]) {
      await appendEvent(world.db, BUILDS, 980, updated(n));
      expect(told.at(-1)).toBe(`run:${n}`);
    }
    unwatch();
    expect(told).toHaveLength(3);
  });

  it('pages through builds, each once, newest first', async () => {
    for (let id = 100; id < 107; id++)
      await appendEvent(
        world.db,
        BUILDS,
        id,
        queued(id, { request: { repository: 'acme/paged', workflow: 'b.yml', ref: 'main', inputs: {} } }),
      );
    const seen: number[] = [];
    let after: Parameters<typeof listBuilds>[1]['after'];
    do {
      const page = await listBuilds(world.db, { repository: 'acme/paged', limit: 3, after });
      seen.push(...page.items.map((build) => build.id));
      after = page.end;
    } while (after);
    expect(seen).toEqual([106, 105, 104, 103, 102, 101, 100]);
  });

  it('has one build of a lane in progress at a time, whoever tells it', async () => {
    const request = { repository: 'acme/Lane', workflow: 'build.yml', inputs: {} };
    const begin = (id: number) => {
      const occurred_at = '2026-11-21T10:20:00.000Z';
      return appendEvent(world.db, BUILDS, id, { type: 'build_started', data: {}, occurred_at, dedupe_key: 'started' });
    };
    const turns = { concurrency: 'queue', request: { ...request, ref: 'main' } };
    await appendEvent(world.db, BUILDS, 1901, queued(1901, turns));
    // The same branch, written otherwise.
    const same = { ...request, repository: 'acme/lane', ref: 'refs/heads/main' };
    await appendEvent(world.db, BUILDS, 1902, queued(1902, { concurrency: 'cancel_previous', request: same }));
    await appendEvent(world.db, BUILDS, 1903, queued(1903, { request: same }));
    await appendEvent(world.db, BUILDS, 1904, queued(1904, { ...turns, request: { ...request, ref: 'dev' } }));
    const told = await Promise.allSettled([1901, 1902, 1903, 1904].map(begin));
    expect(told.slice(2).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    const refused = told.flatMap((outcome) => (outcome.status === 'rejected' ? [databaseFault(outcome.reason)] : []));
    expect(refused).toMatchObject([{ kind: 'conflict' }]);
    const holder = told[0]?.status === 'fulfilled' ? 1901 : 1902;
    expect((await begin(holder)).repeated).toBe(true);
  });

  it('makes a changed configuration a new version and leaves an equal one', async () => {
    const definition = {
      forge: 'github' as const,
      api_url: null,
      credential: null,
      repository: 'a/b',
      workflow: 'x.yml',
      default_ref: 'main',
      inputs: {},
      constants: {},
      templates: {},
      yaml: [],
      mapping: { image_type: 'image_type', fedora_version: 'v' },
      deadline: null,
      concurrency: 'allow' as const,
      callback_url: null,
      dispatch: null,
    };
    const save = async (change: object) => {
      const changed = { name: 'n', definition: { ...definition, ...change }, retired: false, changed_by: 'test' };
      const saved = await saveConfiguration(world.db, { id: 1, reserved: true }, changed);
      return saved.kind === 'saved' ? saved.configuration.version : saved.kind;
    };
    const versions = [
      await save({}),
      await save({}),
      await save({ default_ref: 'dev' }),
      await save({ default_ref: 'dev' }),
    ];
    expect(versions).toEqual([1, 1, 2, 2]);
    const together = await Promise.all(Array.from({ length: 5 }, () => save({ default_ref: 'many' })));
    expect(new Set(together)).toEqual(new Set([3]));
  });

  const own: [string, string[]] = ['of its own zone', ["timezone = 'Europe/Berlin'", "datestyle = 'SQL, DMY'"]];
  // The embedded one is in UTC.
  it.each([['as it comes', []] as typeof own, ...(kind === 'server' ? [own] : [])])(
    'gives back every time as it was told, on a database %s',
    async (_, settings) => {
      const { db } = world;
      const owner = openDatabase({ url: world.url, connections: 1 });
      for (const setting of settings) {
        await owner.db.unsafe(`ALTER DATABASE ${new URL(world.url).pathname.slice(1)} SET ${setting}`);
      }
      await owner.close();
      const times = ['0001-01-01T00:00:00.000Z', '0049-12-31T23:59:59.999Z', '1890-01-01T00:00:00.000Z'];
      const other = openDatabase({ url: world.url, connections: 1 });
      try {
        for (const eta of [...times, '2026-02-01T03:04:05.120Z', '9999-12-31T23:59:59.999Z']) {
          const id = `eta-${settings.length}-${eta.slice(0, 4)}`;
          const [queued, started] = taskStory(id, { eta });
          await appendEvent(db, TASKS, id, queued!);
          await appendEvent(other.db, TASKS, id, started!);
          expect((await findTask(other.db, id))?.eta).toBe(eta);
          expect(await verifyStream(other.db, TASKS, id)).toMatchObject({ length: 2, fault: undefined });
        }
      } finally {
        await other.close();
      }
    },
  );

  it('migrates once, however many start together', async () => {
    await Promise.all(Array.from({ length: 3 }, () => migrateDatabase(world.url)));
    expect(await findBuild(world.db, 1)).toMatchObject({ id: 1 });
  });
});
