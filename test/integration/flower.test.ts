import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { naturalTaskId } from '../../src/domain/tasks/task-request.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

const handlers: Partial<TaskHandlers> = {
  semantic_search: async ({ query, limit }) => ({ query, results: [], limit }),
  ingest_youtube: async ({ url }) => ({ status: 'success', content_id: url, title: 'Ü' }),
  async process_content({ content_id }, { signal }) {
    if (content_id === 'slow') await delay(300, undefined, { signal });
    if (content_id === 'endless') await delay(60_000, undefined, { signal });
    if (content_id === 'broken') throw new PermanentTaskError({ type: 'ValueError', message: 'boom' });
    return { embed: 'completed' };
  },
};

/** Members of the info of a task, in Flower's order. */
const INFO_KEYS =
  'uuid name state received sent started rejected succeeded failed retried revoked args kwargs eta expires retries worker result exception timestamp runtime traceback exchange routing_key clock client root root_id parent parent_id children'.split(
    ' ',
  );

const JSON_TYPE = 'application/json; charset=UTF-8';
const TEXT_TYPE = 'text/plain; charset=UTF-8';

/** Requests as they were sent to Flower 2.2.0 and what it answered; where we differ on purpose, what we answer. */
const CAPTURED: ReadonlyArray<[method: string, path: string, body: string | null, status: number, text: string]> = [
  ['POST', '/api/task/async-apply/tasks.nope', '{"args": [1, 2]}', 404, "Unknown task 'tasks.nope'"],
  [
    'POST',
    '/api/task/async-apply/tasks.semantic_search/',
    '{"args": ["a"]}',
    404,
    "Unknown task 'tasks.semantic_search/'",
  ],
  [
    'POST',
    '/api/task/async-apply/tasks.semantic_search',
    '{"args": [1,',
    400,
    'Expecting value: line 1 column 13 (char 12)',
  ],
  ['POST', '/api/task/async-apply/tasks.semantic_search', 'args=1', 400, 'Expecting value: line 1 column 1 (char 0)'],
  ['POST', '/api/task/async-apply/tasks.semantic_search', '[1, 2]', 400, 'invalid options'],
  ['POST', '/api/task/async-apply/tasks.semantic_search', '{"args": "notalist"}', 400, 'args must be an array'],
  ['POST', '/api/task/async-apply/tasks.semantic_search', '{"args": null}', 400, 'args must be an array'],
  ['POST', '/api/task/async-apply/tasks.semantic_search', '{"args": ["a"], "eta": "yesterday"}', 400, 'Invalid option'],
  ['POST', '/api/task/async-apply/tasks.semantic_search', '{"args": ["a"], "countdown": "x"}', 400, 'Invalid option'],
  ['POST', '/api/task/async-apply/tasks.semantic_search', '{"args": ["a"], "expires": "x"}', 400, 'Invalid option'],
  // 500 in Flower:
  ['POST', '/api/task/async-apply/tasks.semantic_search', '{"args": ["a"], "countdown": null}', 400, 'Invalid option'],
  ['POST', '/api/task/async-apply/tasks.semantic_search', '{"kwargs": [1]}', 400, 'kwargs must be an object'],
  ['POST', '/api/task/apply/tasks.nope', '{}', 404, "Unknown task 'tasks.nope'"],
  ['POST', '/api/task/send-task/tasks.nope', '{"args": "x"}', 400, 'args must be an array'],
  ['GET', '/api/task/info/no-such-task', null, 404, "Unknown task 'no-such-task'"],
  ['GET', '/api/task/result/x?timeout=abc', null, 400, "Invalid argument 'abc' of type 'float'"],
  ['GET', '/api/tasks?limit=abc', null, 400, "Invalid argument 'abc' of type 'int'"],
  ['GET', '/api/tasks?offset=abc', null, 400, "Invalid argument 'abc' of type 'int'"],
  [
    'GET',
    '/api/tasks?sort_by=bogus',
    null,
    400,
    "Invalid sort_by 'bogus', expected one of name, received, started, state",
  ],
  [
    'GET',
    '/api/tasks?received_start=yesterday',
    null,
    400,
    "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM'",
  ],
  ['POST', '/api/task/revoke/x?terminate=maybe', null, 400, "Invalid argument 'maybe' of type 'bool'"],
  ['POST', '/api/task/rate-limit/tasks.semantic_search?ratelimit=200', null, 400, 'Missing argument workername'],
  ['POST', '/api/task/rate-limit/tasks.semantic_search?workername=w', null, 400, 'Missing argument ratelimit'],
  ['POST', '/api/task/rate-limit/tasks.semantic_search?workername=w&ratelimit=1', null, 404, "Unknown worker 'w'"],
  [
    'POST',
    '/api/task/timeout/tasks.semantic_search?soft=abc&workername=w',
    null,
    400,
    "Invalid argument 'abc' of type 'float'",
  ],
  ['POST', '/api/task/timeout/tasks.semantic_search?soft=3', null, 400, 'Missing argument workername'],
  ['POST', '/api/worker/shutdown/nobody', null, 404, "Unknown worker 'nobody'"],
  ['POST', '/api/worker/pool/grow/nobody?n=1', null, 404, "Unknown worker 'nobody'"],
  ['POST', '/api/worker/pool/grow/nobody?n=x', null, 400, "Invalid argument 'x' of type 'int'"],
  ['POST', '/api/worker/pool/autoscale/nobody?min=1', null, 400, 'Missing argument max'],
  ['POST', '/api/worker/queue/add-consumer/nobody', null, 400, 'Missing argument queue'],
  ['GET', '/api/workers?workername=nobody', null, 404, "Unknown worker 'nobody'"],
];

describe('the routes of Flower', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server', { FLOWER_PORT: '0' }, handlers);
  });
  afterAll(() => world.close());

  /** As curl sends it: what has a body and names no type is said to be a form. */
  const send = async (method: string, path: string, body?: string | null, headers: Record<string, string> = {}) => {
    const type = body == null ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(world.url + path, { method, body: body ?? null, headers: { ...type, ...headers } });
    const text = await response.text();
    const json = text !== '' && response.headers.get('content-type') === JSON_TYPE ? JSON.parse(text) : undefined;
    return { status: response.status, headers: response.headers, text, json };
  };
  const apply = async (name: string, body: object) => {
    const { json } = await send('POST', `/api/task/async-apply/tasks.${name}`, JSON.stringify(body));
    return json['task-id'] as string;
  };
  const result = async (id: string, query = '') => (await send('GET', `/api/task/result/${id}${query}`)).json;
  const info = async (id: string) => (await send('GET', `/api/task/info/${id}`)).json;

  it('take the lines of the seed as they are, on their own port and beside the API', async () => {
    for (const base of [world.flowerUrl, world.url]) {
      const applied = await fetch(`${base}/api/task/async-apply/tasks.semantic_search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"args": ["machine learning"], "kwargs": {"limit": 5}}',
      });
      const text = await applied.text();
      expect(text).toMatch(/^\{"task-id": "[0-9a-f-]{36}", "state": "PENDING"\}$/);
      const id = JSON.parse(text)['task-id'];
      await eventually(async () => {
        const polled = await (await fetch(`${base}/api/task/result/${id}`)).text();
        expect(polled.startsWith(`{"task-id": "${id}", "state": "SUCCESS", "result": {`), polled).toBe(true);
        expect(JSON.parse(polled).result).toEqual({ query: 'machine learning', results: [], limit: 5 });
      });
    }
    const video = '{"args": ["https://youtube.com/watch?v=abc123"]}';
    const ingested = await send('POST', '/api/task/async-apply/tasks.ingest_youtube', video);
    const waited = await send('GET', `/api/task/result/${ingested.json['task-id']}?timeout=10`);
    expect(waited.text).toContain('"title": "\\u00dc"');
    expect((await fetch(`${world.flowerUrl}/healthcheck`)).status).toBe(200);
  });

  it.each(CAPTURED)('%s %s %j', async (method, path, body, status, text) => {
    const answer = await send(method, path, body);
    expect([answer.status, answer.text, answer.headers.get('content-type')]).toEqual([status, text, TEXT_TYPE]);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('take a body in chunks, as long as it is no longer than one in a piece may be', async () => {
    const inChunks = (text: string) =>
      fetch(`${world.url}/api/task/async-apply/tasks.semantic_search`, {
        method: 'POST',
        body: new Blob([text]).stream(),
        duplex: 'half',
      } as RequestInit);
    expect((await inChunks('{"args": ["in chunks"]}')).status).toBe(200);
    expect((await inChunks(`{"args": ["${'x'.repeat(1024 * 1024)}"]}`)).status).toBe(413);
  });

  it('answer 405 to other methods, 204 to OPTIONS, and a page to unknown paths', async () => {
    const other = await send('GET', '/api/task/async-apply/tasks.semantic_search');
    expect([other.status, other.text]).toEqual([405, '']);
    expect((await send('OPTIONS', '/api/task/async-apply/tasks.semantic_search')).status).toBe(204);
    for (const path of ['/api/task/async-apply/', '/api/task/result/', '/api/task/nope']) {
      const unknown = await send(path.includes('apply') ? 'POST' : 'GET', path);
      expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'text/html; charset=UTF-8']);
    }
  });

  it('tell of a task what Flower tells, in its order', async () => {
    const id = await apply('process_content', { args: ['broken', ['embed']] });
    await eventually(async () => expect((await result(id)).state).toBe('FAILURE'));
    const failed = await result(id);
    expect(Object.keys(failed)).toEqual(['task-id', 'state', 'result', 'traceback']);
    expect(failed.result).toBe("ValueError('boom')");
    const told = await info(id);
    expect(Object.keys(told)).toEqual(INFO_KEYS);
    expect(told).toMatchObject({
      name: 'tasks.process_content',
      args: "['broken', ['embed']]",
      kwargs: '{}',
      exception: "ValueError('boom')",
      result: null,
      succeeded: null,
    });
    expect(told.failed).toBeGreaterThan(told.received);

    const { text, headers } = await send('GET', `/api/tasks?taskname=tasks.process_content&state=FAILURE&limit=1`);
    const [listed] = Object.values(JSON.parse(text)) as object[];
    expect(Object.keys(listed!)).toEqual([...INFO_KEYS.filter((key) => key !== 'worker'), 'worker']);
    const again = await send('GET', '/api/tasks?taskname=tasks.process_content&state=FAILURE&limit=1', null, {
      'if-none-match': headers.get('etag')!,
    });
    expect(again.status).toBe(304);
  });

  it('answer PENDING for what nobody knows, and FAILURE for a name that nobody works on', async () => {
    const id = randomUUID();
    expect(await result(id)).toEqual({ 'task-id': id, state: 'PENDING' });
    const { json } = await send('POST', '/api/task/send-task/tasks.nope', '{"args": [1]}');
    expect(await result(json['task-id'])).toEqual({
      'task-id': json['task-id'],
      state: 'FAILURE',
      result: "Task of kind 'tasks.nope' never registered, please make sure it's imported.",
      traceback: null,
    });
    expect((await info(json['task-id'])).name).toBe('tasks.nope');
  });

  it('hold a task that nobody works on to the limits of the others', async () => {
    const path = '/api/task/send-task/tasks.nope';
    const sent = (body: object, at = path) => send('POST', at, JSON.stringify(body));
    const large = await sent({ args: ['x'.repeat(1_000_000)] });
    expect([large.status, large.text]).toEqual([
      400,
      'body.kwargs: args and kwargs have more than 1000000 characters of JSON',
    ]);
    expect((await send('POST', path, `{"args": ${'['.repeat(101)}${']'.repeat(101)}}`)).status).toBe(400);
    expect((await sent({}, `/api/task/send-task/${'n'.repeat(300)}`)).status).toBe(400);
    expect((await sent({}, '/api/task/send-task/a%00b')).status).toBe(400);
    expect((await sent({ args: [1], task_id: 'taken' })).status).toBe(200);
    expect((await sent({ args: [1], task_id: 'taken' })).status).toBe(200);
    const other = await sent({ args: [2], task_id: 'taken' });
    expect([other.status, other.text]).toEqual([
      400,
      'task taken was already requested with other content; use a new id',
    ]);
  });

  it('leave a video its task where another task took its id', async () => {
    const ask = (url: string) => world.call('POST', '/tasks', { name: 'ingest_youtube', args: [url] });
    const takers = [
      (id: string) => send('POST', '/api/task/send-task/tasks.nope', JSON.stringify({ task_id: id })),
      (id: string) => world.call('POST', '/tasks', { name: 'semantic_search', args: ['x'], task_id: id }),
      (id: string) => world.call('POST', '/tasks', { name: 'ingest_youtube', args: ['taken-other'], task_id: id }),
    ];
    for (const [n, take] of takers.entries()) {
      const url = `taken-vid-${n}`;
      const taken = naturalTaskId('ingest_youtube', { url, priority: false }) as string;
      expect((await take(taken)).status).toBeLessThan(300);
      const { json } = await ask(url);
      expect(json.task_id).not.toBe(taken);
      expect((await world.call('GET', `/tasks/${json.task_id}`)).json).toMatchObject({
        name: 'ingest_youtube',
        args: [url],
      });
      expect((await ask(`https://youtu.be/${url}`)).json.task_id).toBe(json.task_id);
    }
  });

  it('list tasks of a megabyte each without reading them', async () => {
    const args = [`${'x'.repeat(800_000)}${Math.random()}`];
    const body = JSON.stringify({ args, kwargs: { small: 1 } });
    const { json } = await send('POST', '/api/task/send-task/tasks.large', body);
    const listed = (await send('GET', '/api/tasks?taskname=tasks.large')).json[json['task-id']];
    expect([listed.args, listed.kwargs]).toEqual(["['...']", "{'small': 1}"]);
    expect((await info(json['task-id'])).args).toMatch(/^\['x{1019}\.\.\.$/);
  });

  it('wait where they are asked to, and tell the state that the task has then', async () => {
    const slow = JSON.stringify({ args: ['slow', ['embed']] });
    const applied = await send('POST', '/api/task/apply/tasks.process_content', slow);
    expect(applied.json).toEqual({
      'task-id': applied.json['task-id'],
      result: { embed: 'completed' },
      state: 'SUCCESS',
    });
    const id = await apply('process_content', { args: ['slow', ['embed']] });
    expect(await result(id, '?timeout=10')).toMatchObject({ state: 'SUCCESS', result: { embed: 'completed' } });
    const endless = JSON.stringify({ args: ['endless', ['embed']], timeout: 0.2 });
    const left = await send('POST', '/api/task/apply/tasks.process_content', endless);
    expect(left.json).toEqual({ 'task-id': left.json['task-id'], state: 'PENDING' });
    await send('POST', `/api/task/revoke/${left.json['task-id']}?terminate=true`);
  });

  it.each([
    ['revoke', '?terminate=true&signal=SIGKILL', 'Revoked', 'terminated'],
    ['revoke', '', 'Revoked', 'revoked'],
    ['abort', '', 'Aborted', 'revoked'],
  ])('%s%s ends work that has begun', async (verb, query, said, reason) => {
    const id = await apply('process_content', { args: ['endless', ['embed']] });
    await eventually(async () => expect((await result(id)).state).toBe('STARTED'));
    const answer = await send('POST', `/api/task/${verb}/${id}${query}`);
    expect(answer.text).toBe(`{"message": "${said} '${id}'"}`);
    await eventually(async () =>
      expect(await result(id)).toEqual({ 'task-id': id, state: 'REVOKED', result: `TaskRevokedError('${reason}')` }),
    );
    expect((await info(id)).revoked).toBeGreaterThan(0);
    expect((await send('POST', `/api/task/${verb}/${randomUUID()}`)).status).toBe(200);
  });

  it('take options: an id once, a time in either form, a countdown, what they do not know', async () => {
    const task_id = randomUUID();
    const body = { args: ['a'], task_id, countdown: '0.2', priority: 9, queue: 'unknown', whatever: 1 };
    for (let time = 0; time < 2; time++) expect(await apply('semantic_search', body)).toBe(task_id);
    const later = await apply('semantic_search', { args: ['a'], eta: '2099-01-01 20:00:00.000000' });
    const iso = await apply('semantic_search', { args: ['a'], eta: '2099-01-01T20:00:00Z' });
    await eventually(async () => expect((await info(later)).state).toBe('RECEIVED'));
    for (const id of [later, iso]) expect((await info(id)).eta).toBe('2099-01-01T20:00:00.000Z');
    expect(await result(task_id, '?timeout=10')).toMatchObject({ state: 'SUCCESS' });
    const expired = await apply('semantic_search', { args: ['a'], countdown: 0.3, expires: 0.1 });
    expect(await result(expired, '?timeout=10')).toMatchObject({ result: "TaskRevokedError('expired')" });
  });

  it('list by filters, pages, orders and searches', async () => {
    const ids = async (query: string) => Object.keys((await send('GET', `/api/tasks?${query}`)).json);
    const all = await ids('');
    expect(all.length).toBeGreaterThan(8);
    expect(await ids('limit=2&offset=1')).toEqual(all.slice(1, 3));
    for (const query of ['limit=0', 'limit=-1', 'state=NONE', 'workername=nobody', 'taskname=tasks.nobody']) {
      expect(await ids(query)).toEqual([]);
    }
    expect(await ids('state=All')).toEqual(all);
    const states = Object.values((await send('GET', '/api/tasks?sort_by=-state')).json).map(
      (task) => (task as { state: string }).state,
    );
    expect(states[0]).toBe('SUCCESS');
    const revoked = await ids('state=REVOKED');
    expect(new Set(await ids('search=state:REVOKED'))).toEqual(new Set(revoked));
    expect(await ids('search=machine')).toHaveLength(2);
    expect(await ids(`search=${encodeURIComponent('(machine OR boom) state:FAILURE')}`)).toHaveLength(1);
    expect(await ids('search=kwargs:limit=5')).toHaveLength(2);
    expect(await ids('received_start=2000-01-01 00:00')).toEqual(all);
    const bad = await send('GET', '/api/tasks?search=(a OR');
    expect([bad.status, bad.json]).toEqual([
      400,
      { error: 'Substring search terms must contain at least 3 characters at position 1.' },
    ]);
  });

  it('count what workers do, under the names that dashboards of Flower read', async () => {
    const scrape = async () => (await fetch(`${world.flowerUrl}/metrics`)).text();
    await scrape();
    await apply('process_content', { args: ['measured', ['embed']] });
    await apply('process_content', { args: ['measured too', ['embed']] });
    const broken = await apply('process_content', { args: ['broken', ['embed']] });
    await eventually(async () => expect(await result(broken)).toMatchObject({ state: 'FAILURE' }));
    const { worker } = await info(broken);
    const labels = (type: string) => `{task="tasks.process_content",type="${type}",worker="${worker}"}`;
    await eventually(async () => {
      const lines = (await scrape()).split('\n');
      expect(lines).toEqual(
        expect.arrayContaining([
          `flower_events_total${labels('task-started')} 3`,
          `flower_events_total${labels('task-succeeded')} 2`,
          `flower_events_total${labels('task-failed')} 1`,
          `flower_task_runtime_seconds_count{task="tasks.process_content",worker="${worker}"} 2`,
          `flower_worker_online{worker="${worker}"} 1`,
          `flower_worker_number_of_currently_executing_tasks{worker="${worker}"} 0`,
        ]),
      );
    });
    const [first, second] = await Promise.all([scrape(), scrape()]);
    expect(second).toBe(first);
  });

  it('tell of workers, queues and types', async () => {
    const { json: workers } = await send('GET', '/api/workers');
    const [name] = Object.keys(workers);
    expect(name).toContain(`${process.pid}@`);
    expect(workers[name!].active_queues.map((queue: { name: string }) => queue.name).sort()).toEqual([
      'content',
      'search',
      'youtube',
    ]);
    expect((await send('GET', '/api/workers?status=1')).json).toEqual({ [name!]: true });
    const { json: lengths } = await send('GET', '/api/queues/length');
    expect(lengths.active_queues.map((queue: { name: string }) => queue.name).sort()).toEqual([
      'content',
      'search',
      'youtube',
    ]);
    expect(lengths.active_queues[0]).toMatchObject({ consumers: 1, durable: true, state: 'running' });
    expect((await send('GET', '/api/task/types')).json['task-types']).toContain('tasks.ingest_youtube');
  });

  it('keep out web pages of other sites, and names that are not of this machine', async () => {
    const body = '{"args": ["a"]}';
    const path = '/api/task/async-apply/tasks.semantic_search';
    expect((await send('POST', path, body, { 'sec-fetch-site': 'cross-site' })).text).toBe(
      'Cross-site request forbidden',
    );
    expect((await send('POST', path, body, { origin: 'http://evil.example' })).status).toBe(403);
  });
});
