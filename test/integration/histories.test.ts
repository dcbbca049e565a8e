import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import { startQueueSampling } from '../../src/commands/workers/queue-sampling.ts';
import { quotaHistory } from '../../src/contracts/content/quota.ts';
import { queueHistory } from '../../src/contracts/tasks/queue.ts';
import { quotaDay } from '../../src/domain/content/quota-day.ts';
import { deleteExpired } from '../../src/store/expired-delete.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { sampleQueues } from '../../src/store/tasks/queue-sample.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { eventually } from '../world/eventually.ts';
import { openGate } from '../world/open-gate.ts';
import { taskStory } from '../world/task-story.ts';
import { DATABASES, openTestDatabase } from '../world/world.ts';
import { tell } from './told-builds.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe.each(DATABASES)('histories on the %s Postgres', (kind) => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let get: (path: string) => Promise<{ status: number; json: unknown }>;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
    get = async (path) => {
      const log = pino({ level: 'silent' });
      const meter = { answered() {}, triggerRefused() {} };
      const youtubeQuota = { dailyUnits: 10_000, priorityReserved: 1_000 };
      // A new API each time, as after a restart.
      const api = createApi({
        db: database.db,
        log,
        meter,
        gate: openGate(database.db),
        trustedHosts: [],
        temporalUi: { url: undefined, namespace: 'default' },
        policy: {},
        youtubeQuota,
      } as never);
      const answer = await api.request(path, { headers: { host: 'localhost' } });
      return { status: answer.status, json: await answer.json() };
    };
  });
  afterAll(() => database.close());

  const history = async (query = '') => {
    const { status, json } = await get(`/queues/history?${query}`);
    expect(status, JSON.stringify(json)).toBe(200);
    return queueHistory.parse(json);
  };

  it('have one sample of a minute, however many processes take one, with what waits and runs then', async () => {
    await tell(database.db, 1, 1);
    await tell(database.db, 2, 1);
    await tell(database.db, 3, 2);
    await tell(database.db, 4);
    for (const event of taskStory('waits').slice(0, 1)) await appendEvent(database.db, TASKS, 'waits', event);
    for (const event of taskStory('runs').slice(0, 2)) await appendEvent(database.db, TASKS, 'runs', event);
    const sampled = await Promise.all(Array.from({ length: 10 }, () => sampleQueues(database.db)));
    const minutes = await database.db`SELECT DISTINCT taken_at FROM queue_samples`;
    // A minute may end in between.
    expect(sampled.filter(Boolean)).toHaveLength(minutes.length);
    const { queues } = await history('bucket_seconds=60');
    const last = Object.fromEntries(queues.map(({ name, buckets }) => [name, buckets.at(-1)]));
    expect(last.builds).toMatchObject({ depth: 2, in_flight: 1, oldest_age_seconds: expect.any(Number) });
    expect(last.search).toMatchObject({ depth: 1, in_flight: 1 });
    expect(last.youtube).toMatchObject({ depth: 0, in_flight: 0, oldest_age_seconds: null });
  });

  it('show the peak of each bucket, gaps where nothing ran, and go on over restarts', async () => {
    const { db } = database;
    await db`DELETE FROM queue_samples`;
    // A Monday of 24 hours with a sample each minute, but for an hour in which no process ran.
    const begin = Date.UTC(2026, 9, 5);
    const samples = Array.from({ length: 24 * 60 }, (_, n) => ({
      taken_at: new Date(begin + n * MINUTE_MS).toISOString(),
      queue: 'builds',
      depth: (n * 37) % 101,
      in_flight: (n * 11) % 7,
      oldest_age_seconds: n % 3 === 0 ? null : (n * 13) % 600,
      accepted: n % 4,
    })).filter((_, n) => n < 600 || n >= 660);
    await db`INSERT INTO queue_samples SELECT * FROM jsonb_populate_recordset(NULL::queue_samples, ${JSON.stringify(samples)}::jsonb)`;
    const span = `since=${new Date(begin).toISOString()}&until=${new Date(begin + DAY_MS).toISOString()}`;
    for (const seconds of [60, 300, 900, 3_600]) {
      const { bucket_seconds, queues } = await history(`${span}&bucket_seconds=${seconds}`);
      const groups = Map.groupBy(samples, ({ taken_at }) => Math.floor(Date.parse(taken_at) / (seconds * 1_000)));
      const highest = (of: typeof samples, field: 'depth' | 'in_flight' | 'oldest_age_seconds') => {
        const known = of.flatMap((one) => one[field] ?? []);
        return known.length === 0 ? null : Math.max(...known);
      };
      const expected = [...groups].map(([bucket, of]) => ({
        at: new Date(bucket * seconds * 1_000).toISOString(),
        depth: highest(of, 'depth'),
        in_flight: highest(of, 'in_flight'),
        oldest_age_seconds: highest(of, 'oldest_age_seconds'),
        accepted: of.reduce((sum, { accepted }) => sum + accepted, 0),
      }));
      expect([bucket_seconds, queues]).toEqual([seconds, [{ name: 'builds', buckets: expected }]]);
    }
    expect((await history(span)).bucket_seconds).toBe(300);
    const month = `since=${new Date(begin).toISOString()}&until=${new Date(begin + 30 * DAY_MS).toISOString()}`;
    expect((await history(month)).bucket_seconds).toBe(21_600);
  });

  it('are kept for 30 days', async () => {
    const { db } = database;
    await db`DELETE FROM queue_samples`;
    for (const days of [29, 31]) {
      await db`INSERT INTO queue_samples VALUES (now() - make_interval(days => ${days}), 'builds', 0, 0, NULL, 0)`;
    }
    await deleteExpired(db);
    const kept = await db`SELECT taken_at > now() - interval '30 days' AS is_new FROM queue_samples`;
    expect([...kept]).toEqual([{ is_new: true }]);
  });

  it('are taken while an API runs, and no longer', async () => {
    const { db } = database;
    await db`DELETE FROM queue_samples`;
    const sampling = startQueueSampling({ db, log: pino({ level: 'silent' }) });
    await eventually(async () => expect((await db`SELECT FROM queue_samples`).length).toBeGreaterThan(0));
    await sampling.stop();
  });

  it.each([
    ['since=2026-11-22T00:00:00Z&until=2026-11-21T00:00:00Z', 'query.since'],
    ['since=2026-09-01T00:00:00Z&until=2026-11-21T00:00:00Z', 'query.since'],
    ['bucket_seconds=61', 'query.bucket_seconds'],
    ['since=2026-11-01T00:00:00Z&until=2026-11-21T00:00:00Z&bucket_seconds=60', 'query.bucket_seconds'],
    ['until=yesterday', 'query.until'],
  ])('refuse %s', async (query, path) => {
    const { status, json } = await get(`/queues/history?${query}`);
    expect([status, (json as { errors: Array<{ path: string }> }).errors[0]?.path]).toEqual([400, path]);
  });

  it('have the quota of every day, also of those without use', async () => {
    const { db } = database;
    const day = (ago: number) => new Date(Date.parse(quotaDay(Date.now())) - ago * DAY_MS).toISOString().slice(0, 10);
    for (const [ago, units] of [
      [0, 2_500],
      [2, 10_000],
      [40, 7],
    ] as const) {
      await db`INSERT INTO quota_days (bucket, day, units_used) VALUES ('general', ${day(ago)}, ${units}), ('search.list', ${day(ago)}, 9)`;
    }
    const { json } = await get('/quota?days=3');
    const { days, ...policy } = quotaHistory.parse(json);
    expect(policy).toMatchObject({ daily_units: 10_000, priority_reserved: 1_000 });
    expect(days).toEqual([
      { date: day(2), units_used: 10_000, units_remaining: 0, percentage_used: 100 },
      { date: day(1), units_used: 0, units_remaining: 10_000, percentage_used: 0 },
      { date: day(0), units_used: 2_500, units_remaining: 7_500, percentage_used: 25 },
    ]);
    expect(quotaHistory.parse((await get('/quota')).json).days).toHaveLength(30);
    for (const days of ['0', '367', 'all']) expect((await get(`/quota?days=${days}`)).status, days).toBe(400);
  });
});
