import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TaskContext, TaskHandlers } from '../../src/activities/task-handlers.ts';
import { chainFault } from '../../src/domain/record/hash.ts';
import { LogAudit } from '../../src/domain/record/log-audit.ts';
import { PermanentTaskError, RetryableTaskError } from '../../src/domain/tasks/task-error.ts';
import { openDatabase, readSnapshot } from '../../src/store/database.ts';
import { listEvents } from '../../src/store/record/event-list-by-stream.ts';
import { rebuildProjection } from '../../src/store/record/projection-rebuild.ts';
import { auditRecord } from '../../src/store/record/record-audit.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { eventually } from '../world/eventually.ts';
import { openReceiver } from '../world/receiver.ts';
import { DATABASES, openWorld, type World } from '../world/world.ts';

/** What the work of a task does, by its first argument. */
type Script = (context: TaskContext) => Promise<unknown>;

describe.each(DATABASES)('tasks on the %s Postgres', (kind) => {
  let world: World;
  const scripts = new Map<string, Script>();
  /** Attempts that began, by content id. */
  const begun = new Map<string, TaskContext[]>();
  const handlers: Partial<TaskHandlers> = {
    async process_content({ content_id, operations }, context) {
      begun.set(content_id, [...(begun.get(content_id) ?? []), context]);
      const script = scripts.get(content_id);
      return script ? script(context) : Object.fromEntries(operations.map((operation) => [operation, 'completed']));
    },
    async ingest_youtube({ url }, context) {
      begun.set(url, [...(begun.get(url) ?? []), context]);
      return { status: 'success', content_id: `yt:${url}`, title: 'A video' };
    },
    async semantic_search({ query, limit }) {
      return { query, results: Array.from({ length: limit }, (_, rank) => ({ rank })) };
    },
  };
  beforeAll(async () => {
    world = await openWorld(
      kind,
      {
        TASK_RETRY_DELAY: '50ms',
        TASK_TIME_LIMIT: '3s',
        TASK_SOFT_TIME_LIMIT: '2s',
        CALLBACK_ALLOWED_HOSTS: '127.0.0.1',
      },
      handlers,
    );
  });
  afterAll(() => world.close());

  let number = 0;
  /** Asks for work of its own. */
  async function ask(script?: Script, body: object = {}) {
    const content_id = `c-${++number}`;
    if (script) scripts.set(content_id, script);
    const asked = { name: 'process_content', args: [content_id, ['embed']], ...body };
    const answer = await world.call('POST', '/tasks', asked);
    expect(answer.status).toBe(202);
    return { content_id, asked, id: answer.json.task_id as string, answer };
  }
  const get = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;
  const ended = (id: string) =>
    eventually(async () => {
      const task = await get(id);
      if (!task.completed_at) throw new Error(`task ${id} has not ended: ${JSON.stringify(task)}`);
      return task;
    });
  const typesOf = async (id: string) =>
    (await world.call('GET', `/tasks/${id}/events`)).json.map((event: { event_type: string }) => event.event_type);
  const failing = (error: () => Error): Script => {
    return async () => {
      throw error();
    };
  };
  /** Work that goes on until it is told to stop. */
  const endless: Script = ({ signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

  it('are found right after the 202, done, and answer with their result', async () => {
    const { id, answer } = await ask();
    expect(answer.json).toEqual({ task_id: id, status: 'queued' });
    expect(answer.headers.get('location')).toBe(`/tasks/${id}`);
    expect(await get(id)).toMatchObject({ task_id: id, name: 'process_content', queue: 'content' });
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS', result: { embed: 'completed' }, error: null });
    expect(await typesOf(id)).toEqual(['task_queued', 'task_received', 'task_started', 'task_succeeded']);
    expect(chainFault(await listEvents(world.db, `task:${id}`))).toBeUndefined();
  });

  it('take their arguments by position or by name, with the module before the name or without', async () => {
    const ask = (body: object) => world.call('POST', '/tasks', body);
    const byName = await ask({ name: 'tasks.semantic_search', kwargs: { query: 'a', limit: 2 } });
    const byPosition = await ask({ name: 'semantic_search', args: ['a', 2] });
    const result = { query: 'a', results: [{ rank: 0 }, { rank: 1 }] };
    for (const { json } of [byName, byPosition]) expect((await ended(json.task_id)).result).toEqual(result);
  });

  it.each([
    [422, 'unknown_task', { name: 'tasks.nope' }, undefined],
    [400, 'invalid_request', { name: 'semantic_search' }, 'body.kwargs.query'],
    [400, 'invalid_request', { name: 'semantic_search', args: [7] }, 'body.args.0'],
    [400, 'invalid_request', { name: 'semantic_search', args: ['a'], kwargs: { query: 'a' } }, 'body.kwargs.query'],
    [400, 'invalid_request', { name: 'semantic_search', args: ['a', 1, 'web', [], 2] }, 'body.args'],
    [400, 'invalid_request', { name: 'semantic_search', args: ['a'], kwargs: { colour: 1 } }, 'body.kwargs'],
    [400, 'invalid_request', { name: 'ingest_youtube', args: ['https://vimeo.com/1'] }, 'body.args.0'],
    [400, 'invalid_request', { name: 'semantic_search', args: ['a'], task_id: 'a\u0000b' }, 'body.task_id'],
    [400, 'invalid_request', { name: 'semantic_search', args: ['a'], priority: 10 }, 'body.priority'],
    [400, 'invalid_request', { name: 'semantic_search', args: ['a'], eta: 'tomorrow' }, 'body.eta'],
    [
      422,
      'unprocessable_callback_url',
      { name: 'semantic_search', args: ['a'], callback_url: 'http://10.0.0.1/' },
      undefined,
    ],
  ])('are refused before anything begins: %i %s %j', async (status, code, body, path) => {
    const answer = await world.call('POST', '/tasks', body);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    if (path) expect(answer.json.errors.map((fault: { path: string }) => fault.path)).toContain(path);
  });

  it('are made once by an id, however many ask at once; other content under it is refused', async () => {
    const task_id = `once-${kind}`;
    const asked = { name: 'process_content', args: ['once', ['embed']], task_id };
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.call('POST', '/tasks', asked)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
    expect(answers.filter(({ headers }) => !headers.has('idempotent-replayed'))).toHaveLength(1);
    await ended(task_id);
    const again = await world.call('POST', '/tasks', {
      ...asked,
      args: [],
      kwargs: { content_id: 'once', operations: ['embed'] },
    });
    expect(again.json).toEqual({ task_id, status: 'SUCCESS' });
    expect(begun.get('once')).toHaveLength(1);
    const other = await world.call('POST', '/tasks', { ...asked, args: ['other', ['embed']] });
    expect([other.status, other.json.code]).toEqual([422, 'task_id_reused']);
  });

  it('ingest a video once, whatever the form of its URL, and again after a failure', async () => {
    const forms = ['https://www.youtube.com/watch?v=dQw4w9WgXcQ', 'https://youtu.be/dQw4w9WgXcQ?si=x', 'dQw4w9WgXcQ'];
    const byQuery = await world.call('POST', `/youtube/ingest-async?url=${encodeURIComponent(forms[0]!)}`);
    expect([byQuery.status, byQuery.json.status]).toEqual([202, 'queued']);
    const typed = await world.call('POST', `/youtube/ingest-async?url=${forms[2]}`, '', {
      'content-type': 'application/json',
    });
    expect([typed.status, typed.json.task_id]).toEqual([202, byQuery.json.task_id]);
    const byBody = await world.call('POST', '/youtube/ingest-async', { url: forms[1] });
    const asTask = { name: 'ingest_youtube', kwargs: { url: forms[2], priority: true } };
    const byTask = await world.call('POST', '/tasks', asTask);
    expect([byBody.json.task_id, byTask.json.task_id]).toEqual([byQuery.json.task_id, byQuery.json.task_id]);
    expect(await ended(byQuery.json.task_id)).toMatchObject({ status: 'SUCCESS', result: { status: 'success' } });
    expect(forms.flatMap((form) => begun.get(form) ?? [])).toHaveLength(1);
    const none = await world.call('POST', '/youtube/ingest-async?url=https://vimeo.com/1');
    expect(none.json.errors).toEqual([{ path: 'query.url', message: 'must be the URL or the id of a YouTube video' }]);
    const [path, foreign] = ['/youtube/ingest-async?url=dQw4w9WgXcR', { origin: 'https://evil.example' }];
    const crossing = await world.call('POST', path, undefined, foreign);
    expect([crossing.status, crossing.json.code]).toEqual([403, 'cross_site']);
  });

  it('are tried again three times with growing pauses, then dead-lettered', async () => {
    const { id, content_id } = await ask(failing(() => new TypeError('it is broken')));
    const task = await ended(id);
    expect(task).toMatchObject({
      status: 'FAILURE',
      result: null,
      retries: 3,
      error: {
        type: 'TypeError',
        message: 'it is broken',
        traceback: expect.stringMatching(/^Traceback.*\n[\s\S]*TypeError: it is broken\n$/),
      },
    });
    expect(begun.get(content_id)?.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    const round = ['task_started', 'task_retried'];
    await eventually(async () =>
      expect(await typesOf(id)).toEqual([
        ...['task_queued', 'task_received', ...round, ...round, ...round],
        ...['task_started', 'task_failed', 'task_dead_lettered'],
      ]),
    );
  });

  it('are not tried again where the error says that it will not help', async () => {
    const { id, content_id } = await ask(
      failing(() => new PermanentTaskError({ type: 'ValueError', message: 'no such content' })),
    );
    expect(await ended(id)).toMatchObject({ status: 'FAILURE', retries: 0, error: { type: 'ValueError' } });
    expect(begun.get(content_id)).toHaveLength(1);
  });

  it('wait for their turn without using up retries, and go on from their progress', async () => {
    const waits = 6;
    const { id, content_id } = await ask(async ({ attempt, progress, heartbeat }) => {
      if (attempt > waits) return progress;
      heartbeat({ done: attempt });
      const message = 'the quota is used up';
      throw new RetryableTaskError({ type: 'QuotaError', message, retryAfterMs: 10, counted: false });
    });
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS', retries: 0, result: { done: waits } });
    expect(begun.get(content_id)).toHaveLength(waits + 1);
  });

  it('begin no earlier than their eta, and wait for it without a worker', async () => {
    const eta = new Date(Date.now() + 1_500);
    const { id } = await ask(undefined, { eta: eta.toISOString() });
    expect((await get(id)).started_at).toBeNull();
    const { started_at } = await ended(id);
    expect(Date.parse(started_at)).toBeGreaterThanOrEqual(eta.getTime());
  });

  it('are revoked where they expire before they begin', async () => {
    const { id, content_id } = await ask(undefined, { expires: 0.001, eta: new Date(Date.now() + 300).toISOString() });
    expect(await ended(id)).toMatchObject({ status: 'REVOKED', reason: 'expired' });
    expect(begun.has(content_id)).toBe(false);
  });

  it('stop when they are revoked, whether they wait or work', async () => {
    const waiting = await ask(undefined, { eta: '2099-01-01T00:00:00Z' });
    expect((await world.call('POST', `/tasks/${waiting.id}/cancel`, {})).status).toBe(202);
    expect(await ended(waiting.id)).toMatchObject({ status: 'REVOKED', reason: 'terminated' });
    expect((await world.call('POST', `/tasks/${waiting.id}/cancel`, {})).status).toBe(409);

    const working = await ask(endless);
    await eventually(async () => expect((await get(working.id)).status).toBe('STARTED'));
    await world.call('POST', `/tasks/${working.id}/cancel`, {});
    expect(await ended(working.id)).toMatchObject({ status: 'REVOKED' });
    await eventually(() => expect(begun.get(working.content_id)?.[0]?.signal.aborted).toBe(true));
    expect(begun.get(working.content_id)).toHaveLength(1);
  });

  it('are asked to stop at the soft limit, and given up at the hard one', async () => {
    const soft = await ask(endless, { soft_time_limit: 0.2, time_limit: 30 });
    const hard = await ask(() => delay(5_000), { soft_time_limit: 0.1, time_limit: 0.3 });
    expect(await ended(hard.id)).toMatchObject({ status: 'FAILURE', error: { type: 'TimeLimitExceeded' }, retries: 0 });
    expect(await ended(soft.id)).toMatchObject({
      status: 'FAILURE',
      error: { type: 'SoftTimeLimitExceeded' },
      retries: 3,
    });
  });

  it.each([
    ['/tasks', {}],
    ['/api/task/async-apply/process_content', { task_id: `flower-limits-${kind}` }],
  ])('keep the limits that were asked for at %s where they are begun again', async (path, named) => {
    const content_id = `limited-${++number}`;
    scripts.set(content_id, () => delay(5_000));
    const args = [content_id, ['embed']];
    const asked = { soft_time_limit: 0.1, time_limit: 0.25, args, ...named };
    const { json } = await world.call('POST', path, path === '/tasks' ? { name: 'process_content', ...asked } : asked);
    const id: string = json.task_id ?? json['task-id'];
    const exceeded = { status: 'FAILURE', error: { type: 'TimeLimitExceeded', message: '0.25s' } };
    expect(await ended(id)).toMatchObject({ ...exceeded, soft_time_limit: 0.1, time_limit: 0.25 });
    await eventually(async () => expect((await world.call('POST', `/dlq/task:${id}/redrive`, {})).status).toBe(202));
    await eventually(async () => expect(await get(id)).toMatchObject({ ...exceeded, redrives: 1, time_limit: 0.25 }));
  });

  it('refuse a result that Temporal could not carry, and mend text that no database holds', async () => {
    const large = await ask(async () => 'x'.repeat(1_000_001));
    const odd = await ask(async () => ({ text: 'a\u0000b\ud800', none: undefined }));
    expect(await ended(large.id)).toMatchObject({ status: 'FAILURE', error: { type: 'ResultTooLarge' } });
    expect(await ended(odd.id)).toMatchObject({ status: 'SUCCESS', result: { text: 'a\ufffdb\ufffd' } });
  });

  it('are dead letters beside builds: read, begun again with new retries, discarded', async () => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', message: 'No ref found for: main' });
    const build = (await world.trigger({ ref: `dead-${kind}` })).json.id;
    await world.ended(build);
    let broken = true;
    const mended = await ask(async () => {
      if (broken) throw new PermanentTaskError({ type: 'ValueError', message: 'not yet' });
      return 'mended';
    });
    const hopeless = await ask(failing(() => new PermanentTaskError({ type: 'ValueError', message: 'never' })));
    for (const { id } of [mended, hopeless]) await ended(id);
    const list = async (query = '') => {
      const letters: Array<{ id: string; kind: string }> = [];
      for (let cursor = ''; ; ) {
        const { json } = await world.call('GET', `/dlq?limit=2${query}${cursor}`);
        letters.push(...json.dead_letters);
        if (!json.next_cursor) return letters.map(({ id }) => id);
        cursor = `&cursor=${json.next_cursor}`;
      }
    };
    const ids = await eventually(async () => {
      const found = await list();
      expect(found.slice(0, 3)).toEqual([`task:${hopeless.id}`, `task:${mended.id}`, `build:${build}`]);
      return found;
    });
    expect(await list('&kind=task')).toEqual(ids.filter((id) => id.startsWith('task:')));
    expect(await list('&repository=acme/images')).toEqual([`build:${build}`]);
    const story = (await world.call('GET', `/dlq/task:${mended.id}`)).json;
    expect(story).toMatchObject({ kind: 'task', reason: 'ValueError: not yet', task: { task_id: mended.id } });
    expect(story.events.at(-1).event_type).toBe('task_dead_lettered');

    broken = false;
    const begun = await world.call('POST', `/dlq/task:${mended.id}/redrive`, {});
    expect([begun.status, begun.json]).toEqual([
      202,
      { id: mended.id, status: 'PENDING', message: 'Task queued again' },
    ]);
    await eventually(async () => expect(await get(mended.id)).toMatchObject({ status: 'SUCCESS', result: 'mended' }));
    expect(await get(mended.id)).toMatchObject({ redrives: 1, retries: 0 });
    expect((await world.call('POST', `/dlq/task:${mended.id}/redrive`, {})).status).toBe(404);

    const many = await world.call('POST', '/dlq/redrive', { queue: 'content', limit: 1 });
    expect(many.json).toMatchObject({ redriven: [`task:${hopeless.id}`], refused: [] });
    await eventually(async () => expect(await get(hopeless.id)).toMatchObject({ status: 'FAILURE', redrives: 1 }));
    await eventually(async () => expect((await world.call('DELETE', `/dlq/task:${hopeless.id}`)).status).toBe(204));
    expect(await list()).not.toContain(`task:${hopeless.id}`);
    expect(chainFault(await listEvents(world.db, `task:${hopeless.id}`))).toBeUndefined();
  });

  it('are begun again once, however many ask at once', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<string>();
    let attempts = 0;
    const { id } = await ask(async () => {
      attempts += 1;
      if (attempts > 1) return released;
      throw new PermanentTaskError({ type: 'ValueError', message: 'not yet' });
    });
    await eventually(async () => expect((await typesOf(id)).at(-1)).toBe('task_dead_lettered'));
    const redrive = () => world.call('POST', `/dlq/task:${id}/redrive`, {});
    const statuses = (await Promise.all(Array.from({ length: 10 }, redrive))).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 404 && status !== 409)).toEqual([202]);
    release('mended');
    await eventually(async () => expect(await get(id)).toMatchObject({ status: 'SUCCESS', redrives: 1 }));
    expect(attempts).toBe(2);
  });

  it('tell who asked to be called back of their end', async () => {
    const receiver = await openReceiver();
    onTestFinished(() => receiver.close());
    const { id } = await ask(async () => 'done', { callback_url: receiver.url });
    const [call] = await eventually(() => {
      expect(receiver.received).toHaveLength(1);
      return receiver.received;
    });
    expect(JSON.parse(call!.body)).toMatchObject({
      type: 'task.succeeded',
      data: { task_id: id, status: 'SUCCESS', result: 'done' },
    });
  });

  it('add up to what the record says, and the record to them', async () => {
    const rebuilder = openDatabase({ url: world.databaseUrl, connections: 1 });
    onTestFinished(() => rebuilder.close());
    const audit = new LogAudit();
    await readSnapshot(world.db, async (snapshot) => {
      for await (const fault of auditRecord(snapshot, audit)) expect(fault).toBeUndefined();
    });
    expect(audit.events).toBeGreaterThan(20);
    if (kind === 'embedded') return; // All its connections share one session, which may not rebuild.
    const rebuilt = await rebuildProjection(rebuilder.db, TASKS);
    expect(rebuilt).toMatchObject({ corrected: 0, removed: 0 });
    expect(rebuilt.rows).toBeGreaterThan(2);
  });

  it('are listed newest first by pages, and by what is asked for', async () => {
    const { json: first } = await world.call('GET', '/tasks?limit=2');
    const { json: second } = await world.call('GET', `/tasks?limit=2&cursor=${first.next_cursor}`);
    const ids = [...first.tasks, ...second.tasks].map((task: { task_id: string }) => task.task_id);
    expect(new Set(ids).size).toBe(4);
    const { json: all } = await world.call('GET', '/tasks?limit=200');
    expect(all.tasks.slice(0, 4).map((task: { task_id: string }) => task.task_id)).toEqual(ids);
    const { json: revoked } = await world.call('GET', '/tasks?status=REVOKED&queue=content&name=process_content');
    expect(revoked.tasks).toHaveLength(3);
  });

  it('are counted by name, status and what they took', async () => {
    const { text } = await world.call('GET', '/metrics');
    const seriesOf = (series: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')[1],
      );
    const { json: succeeded } = await world.call('GET', '/tasks?status=SUCCESS&name=process_content&limit=200');
    expect(succeeded.tasks.length).toBeGreaterThan(2);
    expect(seriesOf('hapax_tasks_completed_total{name="process_content",status="SUCCESS"}')).toBe(
      succeeded.tasks.length,
    );
    expect(seriesOf('hapax_task_duration_seconds_count{name="semantic_search"}')).toBe(2);
    expect(seriesOf('hapax_tasks_accepted_total{name="ingest_youtube",replayed="false"}')).toBe(1);
    expect(seriesOf('hapax_queue_depth{queue="content"}')).toBe(0);
  });

  it('stream their events live until their end', async () => {
    const { id } = await ask(async () => {
      await delay(100);
      return null;
    });
    const response = await fetch(`${world.url}/tasks/${id}/events`, { headers: { accept: 'text/event-stream' } });
    expect((await response.text()).match(/^event: .*$/gm)).toEqual(
      ['task_queued', 'task_received', 'task_started', 'task_succeeded'].map((type) => `event: ${type}`),
    );
  });
});
