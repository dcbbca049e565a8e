import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

const TEXT = 'text/plain; charset=UTF-8';
const PAGE = 'text/html; charset=UTF-8';

/** When each work began, by what it was asked for, as the handlers saw it. */
const began = new Map<string, number>();
/** Ends the works that wait. */
const release = new Map<string, () => void>();

/** As it stands in Flower's answers to what its clients send, with our names; and what it says of a worker that refuses. */
const TOLD: ReadonlyArray<[path: string, status: number, answer: string]> = [
  ['/worker/queue/cancel-consumer/WORKER?queue=never', 200, '{"message": "no longer consuming from never"}'],
  ['/worker/queue/add-consumer/WORKER?queue=search', 200, '{"message": "add consumer search"}'],
  ['/worker/pool/grow/WORKER', 200, `{"message": "Growing 'WORKER' worker's pool by 1"}`],
  ['/worker/pool/shrink/WORKER?n=1', 200, `{"message": "Shrinking 'WORKER' worker's pool by 1"}`],
  [
    '/task/rate-limit/tasks.ingest_url?workername=WORKER&ratelimit=200/s',
    200,
    '{"message": "new rate limit set successfully"}',
  ],
  [
    '/task/rate-limit/tasks.ingest_url?workername=WORKER&ratelimit=',
    200,
    '{"message": "rate limit disabled successfully"}',
  ],
  [
    '/task/timeout/tasks.ingest_url?workername=WORKER&soft=30&hard=100',
    200,
    '{"message": "time limits set successfully"}',
  ],
  ['/task/timeout/tasks.ingest_url?workername=WORKER', 200, '{"message": "time limits set successfully"}'],
  [
    '/worker/queue/add-consumer/WORKER?queue=sample-queue',
    403,
    "Failed to add 'sample-queue' consumer to 'WORKER' worker: the queues are youtube, content, search",
  ],
  [
    '/worker/queue/cancel-consumer/WORKER?queue=workflows',
    403,
    "Failed to cancel 'workflows' consumer from 'WORKER' worker: WORKER_QUEUES says who works at workflows",
  ],
  [
    '/worker/pool/shrink/WORKER?n=50',
    403,
    `Failed to shrink 'WORKER' worker's pool: ValueError("Can't shrink pool: a queue would have no slot left")`,
  ],
  ['/worker/pool/restart/WORKER', 403, "Failed to restart the 'WORKER' pool: ValueError('Pool restarts not enabled')"],
  [
    '/worker/pool/autoscale/WORKER?min=1&max=3',
    403,
    "Failed to autoscale 'WORKER' worker: ValueError('Autoscale not enabled')",
  ],
  [
    '/task/rate-limit/tasks.ingest_url?workername=WORKER&ratelimit=foo',
    403,
    `Failed to set rate limit: 'Invalid rate limit string: ValueError("could not convert string to float: 'foo'")'`,
  ],
  [
    '/task/timeout/tasks.ingest_url?workername=WORKER&hard=601',
    403,
    "Failed to set timeouts: 'TASK_TIME_LIMIT sets the most there is: 600 s'",
  ],
  ['/worker/shutdown/WORKER', 403, "Failed to shut down 'WORKER': it is part of `hapax up`; stop that"],
  ['/task/rate-limit/tasks.nope?workername=WORKER&ratelimit=200', 404, "Unknown task 'tasks.nope'"],
  ['/task/timeout/tasks.nope?workername=WORKER&soft=3', 404, "Unknown task 'tasks.nope'"],
];

describe('a running worker, told by Flower', () => {
  let world: World;
  let worker: string;
  beforeAll(async () => {
    world = await openWorld(
      'server',
      { WORKER_CONCURRENCY: '1' },
      {
        async semantic_search({ query }) {
          began.set(query, Date.now());
          return { query, results: [] };
        },
        ingest_youtube: async ({ url }) => ({ status: 'success', content_id: url, title: url }),
        async process_content({ content_id }, { signal }) {
          began.set(content_id, Date.now());
          await new Promise<void>((resolve, reject) => {
            release.set(content_id, resolve);
            signal.addEventListener('abort', () => reject(signal.reason));
          });
          return { embed: 'completed' };
        },
      },
    );
    worker = await eventually(async () => {
      const [name] = Object.keys((await world.call('GET', '/api/workers')).json);
      if (!name) throw new Error('no worker is listed');
      return name;
    });
  });
  afterAll(() => world.close());
  beforeEach(() => {
    began.clear();
    release.clear();
  });

  const tell = async (path: string) => {
    const { status, text, headers } = await world.call('POST', `/api${path.replace('WORKER', worker)}`);
    return { status, text, type: headers.get('content-type') };
  };
  const say = async (path: string) => expect(await tell(path)).toMatchObject({ status: 200 });
  const ask = async (name: string, ...args: unknown[]) =>
    (await world.call('POST', '/tasks', { name, args })).json.task_id as string;
  const task = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;
  const ended = (id: string) => eventually(async () => expect((await task(id)).status).toBe('SUCCESS'));
  /** How often Temporal gave the work of a task to a worker. */
  const attempts = (id: string) =>
    eventually(async () => {
      const { raw } = await world.client.workflow.getHandle(`task-${id}`).describe();
      const attempt = raw.pendingActivities?.[0]?.attempt;
      if (attempt == null) throw new Error(`nothing of task ${id} waits`);
      return attempt;
    });
  const described = async () => (await world.call('GET', '/api/workers?refresh=1')).json[worker];

  it.each(TOLD)('%s: %i', async (path, status, answer) => {
    const told = await tell(path);
    expect([told.status, told.text]).toEqual([status, answer.replace('WORKER', worker)]);
    expect(told.type).toBe(status === 200 ? 'application/json; charset=UTF-8' : status === 403 ? PAGE : TEXT);
  });

  it('takes nothing more from a queue until it is told to again, and ends what it works at', async () => {
    const held = await ask('process_content', 'held', ['embed']);
    await eventually(() => expect(release.has('held')).toBe(true));
    for (const queue of ['content', 'search']) await say(`/worker/queue/cancel-consumer/WORKER?queue=${queue}`);
    const waiting = await Promise.all(['a', 'b', 'c', 'd'].map((query) => ask('semantic_search', query)));
    // What comes after them is done, so they were there to be taken.
    await ended(await ask('ingest_youtube', 'https://youtube.com/watch?v=abcdefghijk'));
    // The poll that was out brought one, which was sent back; the closed queue was not asked for another.
    const sentBack = await Promise.all(waiting.map(async (id) => (await attempts(id)) - 1));
    expect(sentBack.reduce((sum, times) => sum + times)).toBeLessThanOrEqual(2);
    release.get('held')?.();
    await ended(held);
    expect((await described()).active_queues.map(({ name }: { name: string }) => name)).toEqual(['youtube']);
    expect([...began.keys()]).toEqual(['held']);
    for (const id of waiting) expect(await task(id)).toMatchObject({ status: 'PENDING', started_at: null });

    await say('/worker/queue/cancel-consumer/WORKER?queue=youtube');
    expect(await described()).toMatchObject({ active_queues: [], stats: { pid: process.pid } });
    for (const queue of ['youtube', 'content', 'search']) await say(`/worker/queue/add-consumer/WORKER?queue=${queue}`);
    for (const id of waiting) await ended(id);
    expect([...began.keys()].sort()).toEqual(['a', 'b', 'c', 'd', 'held']);
  });

  it('works at more at once, and at fewer again', async () => {
    const ids = [await ask('process_content', 'one', ['embed']), await ask('process_content', 'two', ['embed'])];
    await eventually(() => expect(began.size).toBe(1));
    await say('/worker/pool/grow/WORKER?n=1');
    await eventually(() => expect(began.size).toBe(2));
    expect((await described()).stats.pool['max-concurrency']).toBe(6);
    await say('/worker/pool/shrink/WORKER?n=1');
    ids.push(await ask('process_content', 'three', ['embed']));
    release.get('one')?.();
    await eventually(async () => {
      const statuses = await Promise.all(ids.map(async (id) => (await task(id)).status));
      expect(statuses.filter((status) => status === 'SUCCESS')).toHaveLength(1);
    });
    // Room for one, and it is taken.
    expect(await tell('/worker/pool/shrink/WORKER')).toMatchObject({ status: 403 });
    expect(began.size).toBe(2);
    release.get('two')?.();
    await eventually(() => release.get('three')?.());
    await eventually(() => expect(began.size).toBe(3));
    release.get('three')?.();
    for (const id of ids) await ended(id);
  });

  it('begins tasks of a name no faster than it was told, and others at once', async () => {
    await say('/task/rate-limit/tasks.semantic_search?workername=WORKER&ratelimit=2/s');
    expect((await described()).registered).toContain('tasks.semantic_search [rate_limit=2/s]');
    const queries = ['q1', 'q2', 'q3', 'q4'];
    const ids = await Promise.all(queries.map((query) => ask('semantic_search', query)));
    for (const id of ids) await ended(id);
    const times = [...began.values()].sort((a, b) => a - b);
    // Three intervals of 500 ms between their turns; the first may have been slow to begin after its own.
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(1_000);
    await say('/task/rate-limit/tasks.semantic_search?workername=WORKER&ratelimit=');
    expect((await described()).registered).toContain('tasks.semantic_search');
    const events = (await world.call('GET', `/tasks/${ids.at(-1)}/events`)).json;
    expect(events.map(({ event_type }: { event_type: string }) => event_type)).toEqual([
      'task_queued',
      'task_received',
      'task_started',
      'task_succeeded',
    ]);
  });

  it('revokes a task that expires while it waits for its turn', async () => {
    await say('/task/rate-limit/tasks.semantic_search?workername=WORKER&ratelimit=1/h');
    const first = await ask('semantic_search', 'first');
    await ended(first);
    const { json } = await world.call('POST', '/tasks', { name: 'semantic_search', args: ['late'], expires: 0.5 });
    await eventually(async () =>
      expect(await task(json.task_id)).toMatchObject({ status: 'REVOKED', reason: 'expired', started_at: null }),
    );
    await say('/task/rate-limit/tasks.semantic_search?workername=WORKER&ratelimit=0');
    expect([...began.keys()]).toEqual(['first']);
  });

  it('gives tasks of a name the time that it was told', async () => {
    await say('/task/timeout/tasks.process_content?workername=WORKER&hard=0.3');
    const id = await ask('process_content', 'endless', ['embed']);
    await eventually(async () =>
      expect(await task(id)).toMatchObject({
        status: 'FAILURE',
        error: { type: 'TimeLimitExceeded', message: '0.3s' },
      }),
    );
    await say('/task/timeout/tasks.process_content?workername=WORKER');
  });

  it('is told by form too, and not where Flower may only read', async () => {
    const form = await fetch(`${world.url}/api/task/rate-limit/tasks.ingest_url`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `ratelimit=0&workername=${encodeURIComponent(worker)}`,
    });
    expect([form.status, await form.text()]).toEqual([200, '{"message": "new rate limit set successfully"}']);
  });
});
