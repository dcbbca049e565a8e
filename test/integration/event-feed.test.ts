import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventFeedPage } from '../../src/contracts/event-feed.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { type Db, inTransaction, openDatabase } from '../../src/store/database.ts';
import { eraseSubject } from '../../src/store/erasures/subject-erase.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { EventFeed } from '../../src/store/record/event-feed.ts';
import { streamHeads } from '../../src/store/record/stream-heads.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { eventually } from '../world/eventually.ts';
import { openFeedApi, readMessages } from '../world/feed-api.ts';
import { taskStory } from '../world/task-story.ts';
import { DATABASES, openTestDatabase } from '../world/world.ts';
import { story, tell } from './told-builds.ts';

type World = Awaited<ReturnType<typeof openTestDatabase>>;
type FeedApi = Awaited<ReturnType<typeof openFeedApi>>;

const positionsIn = async (db: Db) =>
  (await db<Array<{ position: number }>>`SELECT position FROM events ORDER BY position`).map(
    ({ position }) => position,
  );

async function page(api: FeedApi, query: string) {
  const { status, json } = await api.call('GET', `/events?${query}`);
  expect(status).toBe(200);
  return eventFeedPage.parse(json);
}

/** All pages from a position to the end. */
async function pages(api: FeedApi, query: string, after = 0) {
  const ids: number[] = [];
  for (let at_end = false; !at_end; ) {
    const found = await page(api, `after=${after}&${query}`);
    ids.push(...found.events.map(({ id }) => id));
    after = found.next_after;
    at_end = found.at_end;
  }
  return ids;
}

async function tellTask(db: Db, id: string, result?: unknown) {
  for (const event of taskStory(id, {}, result)) await appendEvent(db, TASKS, id, event);
}

describe.each(DATABASES)('the feed of all events on the %s Postgres', (kind) => {
  let world: World;
  let api: FeedApi;
  beforeAll(async () => {
    world = await openTestDatabase(kind);
    api = await openFeedApi(world.db);
    await tell(world.db, 1);
    await tellTask(world.db, 'one');
    await tell(world.db, 2, 6, 'failure');
  });
  afterAll(async () => {
    await api.close();
    await world.close();
  });

  it('has every event once, in the order of the log, over any size of page', async () => {
    const logged = await positionsIn(world.db);
    for (const limit of [1, 2, 5, 200]) expect(await pages(api, `limit=${limit}`)).toEqual(logged);
    const { events, next_after, at_end } = await page(api, 'limit=200');
    expect([next_after, at_end]).toEqual([logged.at(-1), true]);
    expect(events[0]).toMatchObject({ stream: 'build:1', event_type: 'build_queued', seq: 1, to_status: 'queued' });
    expect(await page(api, `after=${next_after}`)).toEqual({ events: [], next_after, at_end: true });
  });

  it('filters by kind, type and stream, and begins at the end where it is asked to', async () => {
    const of = async (query: string) =>
      (await page(api, query)).events.map(({ stream, event_type }) => `${stream} ${event_type}`);
    expect(await of('kinds=task')).toEqual([
      'task:one task_queued',
      'task:one task_started',
      'task:one task_succeeded',
    ]);
    expect(await of('types=build_completed,task_succeeded')).toEqual([
      'build:1 build_completed',
      'task:one task_succeeded',
      'build:2 build_completed',
    ]);
    expect(await of('stream=build:2&types=build_queued')).toEqual(['build:2 build_queued']);
    const end = (await positionsIn(world.db)).at(-1);
    expect(await page(api, 'after=latest')).toEqual({ events: [], next_after: end, at_end: true });
    // As a client whose record was set back: it goes on from the end.
    expect(await page(api, 'after=999999999')).toEqual({ events: [], next_after: end, at_end: true });
  });

  it('never goes back because it has not looked: what another process has delivered is not new to it', async () => {
    const feed = new EventFeed(world.db);
    const end = (await positionsIn(world.db)).at(-1)!;
    expect(await feed.next(end, {})).toEqual({ events: [], reached: end });
    await tellTask(world.db, 'since');
    const since = (await positionsIn(world.db)).at(-1)!;
    expect(await feed.next(since, {})).toEqual({ events: [], reached: since });
    // A record that was set back.
    expect(await feed.next(since + 1, {})).toEqual({ events: [], reached: since });
    const away = openDatabase({ url: world.url, connections: 1 });
    await away.close();
    await expect(new EventFeed(away.db).next(end, {})).rejects.toThrow();
  });

  it('lets the process forget what it kept of a task that was erased, by itself or by another process', async () => {
    const { db } = world;
    const erased = { type: 'task_erased', data: { by: 'local' }, occurred_at: new Date().toISOString() } as const;
    const erase = (by: Db, id: string) => eraseSubject(by, TASKS, id, { ...erased, dedupe_key: 'erased' });
    const kept = (id: string) => streamHeads(db).recall(`task:${id}`);
    for (const id of ['own', 'other']) await tellTask(db, id);
    expect([kept('own')?.seq, kept('other')?.seq]).toEqual([3, 3]);
    await erase(db, 'own');
    expect(kept('own')).toBeUndefined();
    const feed = new EventFeed(db);
    const leave = feed.listen();
    // A transaction has its own heads, as another process has.
    await inTransaction(db, (tx) => erase(tx, 'other'));
    await eventually(async () => expect(kept('other')).toBeUndefined());
    leave();
  });

  it.each([
    ['after=soon', 'query.after'],
    ['after=-1', 'query.after'],
    ['kinds=builds', 'query.kinds'],
    ['types=build_exploded', 'query.types'],
    ['stream=12', 'query.stream'],
    ['limit=201', 'query.limit'],
  ])('refuses %s', async (query) => {
    expect((await api.call('GET', `/events?${query}`)).status).toBe(400);
  });

  it('streams what there is and what comes, resumes after an id, and says where it is before the first event', async () => {
    const logged = await positionsIn(world.db);
    const streaming = readMessages(`${api.url}/events?after=latest&kinds=build`, (told) => told.length === 3);
    await eventually(() => expect(api.streams.count).toBe(1));
    await tellTask(world.db, 'two');
    await tell(world.db, 3, 2);
    const [first, ...events] = await streaming;
    expect(first).toEqual({ id: logged.at(-1), event: undefined, data: undefined });
    expect(events.map(({ event }) => event)).toEqual(['build_queued', 'build_started']);
    const all = await positionsIn(world.db);
    expect(events.map(({ id }) => id)).toEqual(all.slice(-2));
    expect(JSON.parse(events[0]?.data ?? '')).toEqual((await page(api, 'stream=build:3')).events[0]);

    const lastEventId = all[4]!;
    const rest = await readMessages(`${api.url}/events?after=latest`, (told) => told.at(-1)?.id === all.at(-1), {
      lastEventId,
    });
    expect(rest.map(({ id }) => id)).toEqual([lastEventId, ...all.slice(5)]);
    await eventually(() => expect(api.streams.count).toBe(0));
  });

  it('says in a quiet stream how far the log has gone, though no event fits its filter', async () => {
    const quiet = await openFeedApi(world.db, { beatMs: 20 });
    try {
      const before = (await positionsIn(world.db)).at(-1)!;
      let end = Number.POSITIVE_INFINITY;
      const streaming = readMessages(
        `${quiet.url}/events?after=latest&kinds=subscription`,
        (told) => told.at(-1)!.id >= end,
      );
      await eventually(() => expect(quiet.streams.count).toBe(1));
      await tellTask(world.db, 'unwanted');
      end = (await positionsIn(world.db)).at(-1)!;
      const ids = (await streaming).map(({ id }) => id);
      expect([ids[0], ids.at(-1)]).toEqual([before, end]);
    } finally {
      await quiet.close();
    }
  });

  it('reads a log of large results page by page within its budget', async () => {
    const end = (await positionsIn(world.db)).at(-1)!;
    for (let n = 0; n < 6; n++) await tellTask(world.db, `large-${n}`, 'x'.repeat(990_000));
    const found = await page(api, `after=${end}&types=task_succeeded&limit=200`);
    expect(found.events).toHaveLength(4);
    expect(found.at_end).toBe(false);
    expect(await pages(api, 'types=task_succeeded', end)).toHaveLength(6);
    const streamed = await readMessages(
      `${api.url}/events?after=${end}&types=task_succeeded`,
      (told) => told.length === 7,
    );
    expect(streamed.slice(1).every(({ data }) => data!.length > 990_000)).toBe(true);
  });
});

describe('the feed of all events, beside transactions that commit late', () => {
  let world: World;
  let api: FeedApi;
  beforeAll(async () => {
    world = await openTestDatabase('server');
    api = await openFeedApi(world.db);
  });
  afterAll(async () => {
    await api.close();
    await world.close();
  });

  /** A transaction that has appended the first event of a build and waits to be ended. */
  async function hold(id: number) {
    const other = openDatabase({ url: world.url, connections: 1 });
    let end!: (how: 'commit' | 'rollback') => void;
    const ended = new Promise<'commit' | 'rollback'>((resolve) => (end = resolve));
    let appended!: () => void;
    const isAppended = new Promise<void>((resolve) => (appended = resolve));
    const work = inTransaction(other.db, async (tx) => {
      await appendEvent(tx, BUILDS, id, story(id)[0]!);
      appended();
      if ((await ended) === 'rollback') throw new Error('rolled back');
    }).catch(() => {});
    await isAppended;
    return async (how: 'commit' | 'rollback') => {
      end(how);
      await work;
      await other.close();
    };
  }

  it('holds back what is behind an open transaction, and skips nothing when it commits', async () => {
    const { next_after } = await page(api, 'after=latest');
    const streaming = readMessages(`${api.url}/events?after=${next_after}`, (told) => told.length === 3);
    const end = await hold(10);
    await tell(world.db, 11, 1);
    expect(await page(api, `after=${next_after}`)).toEqual({ events: [], next_after, at_end: true });
    await end('commit');
    const { events } = await page(api, `after=${next_after}`);
    expect(events.map(({ stream }) => stream)).toEqual(['build:10', 'build:11']);
    const streamed = await streaming;
    expect(streamed.slice(1).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });

  it('goes on at once when it is rolled back, and for ever past the gap', async () => {
    const { next_after } = await page(api, 'after=latest');
    const end = await hold(20);
    await tell(world.db, 21, 1);
    expect((await page(api, `after=${next_after}`)).events).toEqual([]);
    await end('rollback');
    expect((await page(api, `after=${next_after}`)).events.map(({ stream }) => stream)).toEqual(['build:21']);
    // Nor does the gap stop another process, though something is being appended again.
    const other = await openFeedApi(world.db);
    expect((await page(other, 'after=latest')).next_after).toBeGreaterThan(next_after);
    const endOther = await hold(22);
    expect((await page(other, `after=${next_after}`)).events.map(({ stream }) => stream)).toEqual(['build:21']);
    await endOther('commit');
    await other.close();
  });

  it('gives every listener every event of appenders that run into each other, as Postgres counts them', async () => {
    const { next_after } = await page(api, 'after=latest');
    const appenders = 6;
    const rounds = 40;
    let open = true;
    const streaming = [0, 1, 2].map(() =>
      readMessages(`${api.url}/events?after=${next_after}`, (told) =>
        told.some(({ event }) => event === 'task_succeeded'),
      ),
    );
    const paging = (async () => {
      const ids: number[] = [];
      for (let after = next_after; open; ) {
        const found = await page(api, `after=${after}&limit=7`);
        ids.push(...found.events.map(({ id }) => id));
        after = found.next_after;
      }
      return ids;
    })();
    await Promise.all(
      Array.from({ length: appenders }, async (_, n) => {
        const { db, close } = openDatabase({ url: world.url, connections: 1 });
        for (let round = 0; round < rounds; round++) {
          const id = 1_000 + n * rounds + round;
          await inTransaction(db, async (tx) => {
            await appendEvent(tx, BUILDS, id, story(id)[0]!);
            // Held open for a time that differs, so that commits come in another order than positions.
            await tx`SELECT pg_sleep(${((id * 7919) % 13) / 1_000})`;
            if (id % 5 === 0) throw new Error('rolled back');
            await appendEvent(tx, BUILDS, id, story(id)[1]!);
          }).catch(() => {});
        }
        await close();
      }),
    );
    // What the listeners take for the end.
    await tellTask(world.db, 'last');
    const logged = (await positionsIn(world.db)).filter((position) => position > next_after);
    expect(logged.length).toBe(appenders * rounds * 2 * 0.8 + 3);
    expect(logged.at(-1)! - next_after).toBeGreaterThan(logged.length);
    for (const told of await Promise.all(streaming)) expect(told.slice(1).map(({ id }) => id)).toEqual(logged);
    await eventually(async () => expect((await page(api, `after=${logged.at(-1)}`)).at_end).toBe(true));
    open = false;
    const paged = await paging;
    expect(paged).toEqual(logged.slice(0, paged.length));
    expect(paged.length).toBeGreaterThan(0);
  });
});

describe('the feed of all events, under many listeners', () => {
  let world: World;
  beforeAll(async () => {
    world = await openTestDatabase('server');
    await tell(world.db, 1);
  });
  afterAll(() => world.close());

  it('reads the log once for all of them', async () => {
    let queries = 0;
    const counting = new Proxy(world.db, {
      apply(target, self, given) {
        if (Array.isArray((given[0] as { raw?: unknown })?.raw) && /max\(position\)/.test(String(given[0]))) queries++;
        return Reflect.apply(target as never, self, given);
      },
    });
    const api = await openFeedApi(counting, { open: 80 });
    const { next_after } = await page(api, 'after=latest');
    const wanted = (told: unknown[]) => told.length === 7;
    const listeners = Array.from({ length: 60 }, () => readMessages(`${api.url}/events?after=${next_after}`, wanted));
    await eventually(() => expect(api.streams.count).toBe(60));
    const [before, since] = [queries, performance.now()];
    await tell(world.db, 2);
    const streamed = await Promise.all(listeners);
    expect(new Set(streamed.map((told) => JSON.stringify(told))).size).toBe(1);
    // Ten looks a second, and more while something is being appended; not one for each listener.
    expect(queries - before).toBeLessThan(20 + (performance.now() - since) / 10);
    await eventually(() => expect(api.streams.count).toBe(0));
    const quiet = queries;
    await eventually(() => expect(queries - quiet).toBeLessThanOrEqual(1));
    await api.close();
  });

  it('refuses one listener too many, and takes one when another leaves', async () => {
    const api = await openFeedApi(world.db, { open: 1 });
    const first = readMessages(`${api.url}/events?after=latest`, (told) => told.length === 2);
    await eventually(() => expect(api.streams.count).toBe(1));
    const refused = await api.call('GET', '/events', undefined, { accept: 'text/event-stream' });
    expect(refused.status).toBe(503);
    expect((await api.call('GET', '/events')).status).toBe(200);
    await tell(world.db, 3, 1);
    await first;
    await eventually(() => expect(api.streams.count).toBe(0));
    await readMessages(`${api.url}/events`, (told) => told.length > 1);
    await api.close();
  });

  it('keeps nothing for a listener that does not read, cuts it off, and goes on where it stopped', async () => {
    const api = await openFeedApi(world.db, { stalledMs: 300, beatMs: 100 });
    const { next_after } = await page(api, 'after=latest');
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write(`GET /events?after=${next_after} HTTP/1.1\r\nHost: ${hostname}\r\nAccept: text/event-stream\r\n\r\n`);
    socket.pause();
    await eventually(() => expect(api.streams.count).toBe(1));
    const results = 40;
    for (let n = 0; n < results; n++) await tellTask(world.db, `stall-${n}`, `${n}`.padEnd(900_000, 'x'));
    await eventually(() => expect(api.streams.count).toBe(0));
    // What reached the client before it was cut off is all that it ever got.
    let received = '';
    for await (const chunk of socket.setEncoding('utf8')) received += chunk;
    const seen = [...received.matchAll(/^id: (\d+)\n\n/gm)].map(([, id]) => Number(id));
    expect(received.length).toBeLessThan(results * 900_000 * 0.7);
    const lastEventId = seen.at(-1)!;
    const logged = (await positionsIn(world.db)).filter((position) => position > lastEventId);
    const rest = await readMessages(`${api.url}/events`, (told) => told.at(-1)?.id === logged.at(-1), { lastEventId });
    expect(rest.filter(({ event }) => event).map(({ id }) => id)).toEqual(logged);
    await api.close();
  });
});
