import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { listPendingReplies } from '../../src/store/celery/pending-reply-list-by-task.ts';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { type CelerySpec, celery, hasCelery, PYTHON } from '../world/celery.ts';
import { eventually } from '../world/eventually.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';

/** How often the work of each task was begun: the oracle of "once". */
const begun = new Map<string, number>();
let open: BridgeWorld;

function count(taskId: string): void {
  begun.set(taskId, (begun.get(taskId) ?? 0) + 1);
}

/** A search that does what its query says. */
async function search({ query, limit }: { query: string; limit: number }, taskId: string, signal: AbortSignal) {
  count(taskId);
  if (query === 'fail') throw new PermanentTaskError({ type: 'ValueError', message: 'boom' });
  if (query === 'quota') throw new PermanentTaskError({ type: 'QuotaExceeded', message: 'YouTube API quota exceeded' });
  if (query === 'slow') {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  }
  // Something that another search can be asked with.
  if (query.startsWith('say ')) return query.slice('say '.length);
  return { query, results: [{ id: 1 }], limit };
}

const user = (backend: string, steps: CelerySpec['steps'], conf = {}) =>
  celery({ broker: open.rabbit.url, backend, steps, conf });
const task = async (id: string) => (await open.world.call('GET', `/tasks/${id}`)).json;
/** The task once it has ended. */
const ended = (id: string) =>
  eventually(async () => {
    const found = await task(id);
    if (found?.completed_at == null) throw new Error(`task ${id} has not ended: ${JSON.stringify(found)}`);
    return found;
  });
const ask = (query: string, id: string = randomUUID()) => ({ id, task: 'tasks.semantic_search', args: [query] });

describeWith({ RabbitMQ: hasRabbitMq, Redis: hasRedis, 'Python with Celery': hasCelery() }, 'the bridge', () => {
  beforeAll(async () => {
    open = await openBridgeWorld({
      semantic_search: (args, { taskId, signal }) => search(args, taskId, signal),
      process_content: async ({ operations }, { taskId }) => {
        count(taskId);
        return Object.fromEntries(operations.map((operation) => [operation, 'completed']));
      },
      ingest_youtube: async ({ url }, { taskId }) => {
        count(taskId);
        return { status: 'success', content_id: 'c1', title: url };
      },
    });
    await open.openBridge();
  });
  afterAll(() => open?.close());
  // What the test before put aside.
  beforeEach(() => open.purge('hapax.dead-letter'));

  const BACKENDS: Array<[string, () => string]> = [
    ['redis', () => open.redis.url],
    ['rpc', () => 'rpc://'],
  ];
  it('answers the program in docs/from-celery.md', async () => {
    const page = readFileSync(fileURLToPath(new URL('../../docs/from-celery.md', import.meta.url)), 'utf8');
    const program = (/^```python\n(.*?)^```$/ms.exec(page)?.[1] ?? '')
      .replace('amqp://guest:guest@127.0.0.1:5672//', open.rabbit.url)
      .replace('redis://127.0.0.1:6379/0', open.redis.url);
    const { stdout } = await promisify(execFile)(PYTHON, ['-c', program]);
    expect(stdout.trim()).toBe("[{'id': 1}]");
  });

  for (const [name, backend] of BACKENDS) {
    it(`answers a Python program that uses Celery with the ${name} back end`, async () => {
      const [, value, , failed, , quota, , unknown, , wrong, , packed, , later] = await user(backend(), [
        { do: 'send', task: 'tasks.semantic_search', args: ['machine learning'], kwargs: { limit: 5 } },
        { do: 'get' },
        { do: 'send', task: 'tasks.semantic_search', args: ['fail'] },
        { do: 'get' },
        { do: 'send', task: 'tasks.semantic_search', args: ['quota'] },
        { do: 'get' },
        { do: 'send', task: 'tasks.nope', args: [1], options: { queue: 'search' } },
        { do: 'get' },
        { do: 'send', task: 'tasks.semantic_search', args: ['a', 5, 'too many'] },
        { do: 'get' },
        {
          do: 'send',
          task: 'tasks.process_content',
          args: ['c1', ['embed', 'summarize']],
          options: { compression: 'gzip', priority: 7 },
        },
        { do: 'get' },
        {
          do: 'send',
          task: 'tasks.ingest_youtube',
          args: ['https://youtu.be/dQw4w9WgXcQ'],
          options: { eta_in: 1, expires: 60 },
        },
        { do: 'get' },
      ]);
      expect(value).toEqual({
        value: { query: 'machine learning', results: [{ id: 1 }], limit: 5 },
        status: 'SUCCESS',
      });
      expect(failed).toEqual({ raises: 'ValueError', module: 'builtins', args: ['boom'], status: 'FAILURE' });
      expect(quota).toMatchObject({ raises: 'QuotaExceeded', args: ['YouTube API quota exceeded'], status: 'FAILURE' });
      expect(unknown).toMatchObject({ raises: 'NotRegistered', module: 'celery.exceptions', status: 'FAILURE' });
      expect(wrong).toMatchObject({ raises: 'TypeError', module: 'builtins', status: 'FAILURE' });
      expect(packed).toMatchObject({ value: { embed: 'completed', summarize: 'completed' } });
      expect(later).toMatchObject({ value: { status: 'success', title: 'https://youtu.be/dQw4w9WgXcQ' } });
    });

    it(`goes on with chains, links and error links, with the ${name} back end`, async () => {
      const [said, told] = [randomUUID(), randomUUID()];
      const search = (id: string) => ({
        task: 'tasks.semantic_search',
        options: { options: { task_id: id, queue: 'search' } },
      });
      const [, last, , , , , linked, afterFailure] = await user(backend(), [
        {
          do: 'chain',
          of: [
            { task: 'tasks.semantic_search', args: ['say say hello'] },
            { task: 'tasks.semantic_search' },
            { task: 'tasks.semantic_search', kwargs: { limit: 3 } },
          ],
        },
        { do: 'get' },
        { do: 'send', task: 'tasks.semantic_search', args: ['say linked'], options: { link: search(said) } },
        { do: 'get' },
        {
          do: 'send',
          task: 'tasks.semantic_search',
          args: ['fail'],
          as: 'fails',
          options: { link_error: search(told) },
        },
        { do: 'get', of: 'fails' },
        // Nobody reads the queue of a link's reply; Redis keeps its result all the same.
        ...(name === 'redis' ? [said, told].map((of) => ({ do: 'get', of })) : []),
      ]);
      expect(last).toEqual({ value: { query: 'hello', results: [{ id: 1 }], limit: 3 }, status: 'SUCCESS' });
      expect(await ended(said)).toMatchObject({ status: 'SUCCESS', result: { query: 'linked' } });
      expect(await ended(told)).toMatchObject({ status: 'SUCCESS' });
      if (name !== 'redis') return;
      expect(linked).toMatchObject({ value: { query: 'linked' } });
      expect(afterFailure).toMatchObject({ status: 'SUCCESS' });
    });
  }

  it('tells of the tasks that never come, because one before them failed, was revoked or was refused', async () => {
    const search = (...args: unknown[]) => ({ task: 'tasks.semantic_search', args });
    const steps = (first: object) => ({ do: 'chain', of: [first, search(), search()] });
    const sent = await user(open.redis.url, [
      steps(search('fail')),
      steps(search(7)),
      { ...steps(search('slow')), as: 'slow' },
    ]);
    await user(open.redis.url, [{ do: 'revoke', of: sent[2].first }]);
    // By another program, which knows the id of the last step alone.
    const ends = await user(
      open.redis.url,
      sent.map(({ id }) => ({ do: 'get', of: id, timeout: 10 })),
    );
    expect(ends.map(({ raises, status }) => [raises, status])).toEqual([
      ['ValueError', 'FAILURE'],
      ['TypeError', 'FAILURE'],
      ['TaskRevokedError', 'REVOKED'],
    ]);
  });

  it('asks for the error links of a message whose arguments do not fit, as Celery does', async () => {
    const told = randomUUID();
    const link_error = { task: 'tasks.semantic_search', options: { options: { task_id: told, queue: 'search' } } };
    const [{ id }, refused] = await user(open.redis.url, [
      { do: 'send', task: 'tasks.semantic_search', args: [7], options: { link_error } },
      { do: 'get' },
    ]);
    expect(refused).toMatchObject({ raises: 'TypeError', status: 'FAILURE' });
    expect(await ended(told)).toMatchObject({ status: 'SUCCESS', result: { query: id } });
  });

  it('takes times of later steps, and ids, as clients give them', async () => {
    const id = `video/2026/${randomUUID()} ü `;
    const [, last, , linked] = await user(open.redis.url, [
      {
        do: 'chain',
        of: [
          { task: 'tasks.semantic_search', args: ['say say hello'] },
          { task: 'tasks.semantic_search', times_in: { eta: 1, expires: 300 } },
          { task: 'tasks.semantic_search', times_in: { expires: 300 } },
        ],
      },
      { do: 'get' },
      { do: 'send', task: 'tasks.semantic_search', args: ['by id'], options: { task_id: id } },
      { do: 'get' },
    ]);
    expect(last).toMatchObject({ value: { query: 'hello' }, status: 'SUCCESS' });
    expect(linked).toMatchObject({ value: { query: 'by id' }, status: 'SUCCESS' });
    expect(await task(encodeURIComponent(id))).toMatchObject({ task_id: id, status: 'SUCCESS' });
  });

  it('begins a revoked video again when it is asked for again', async () => {
    const video = { task: 'tasks.ingest_youtube', args: ['https://youtu.be/bbbbbbbbbbb'] };
    await open.publish('youtube', { ...video, eta: '2099-01-01T00:00:00Z' });
    const waiting = await eventually(async () => {
      const { json } = await open.world.call('GET', '/tasks?name=ingest_youtube&status=PENDING');
      expect(json.tasks).toMatchObject([{ eta: '2099-01-01T00:00:00.000Z' }]);
      return json.tasks[0].task_id as string;
    });
    await user(open.redis.url, [{ do: 'revoke', of: waiting }]);
    expect(await ended(waiting)).toMatchObject({ status: 'REVOKED' });
    await open.publish('youtube', video);
    await eventually(async () => expect(await task(waiting)).toMatchObject({ status: 'SUCCESS', redrives: 1 }));
  });

  it('speaks protocol 1 too', async () => {
    const [, value] = await user(
      'rpc://',
      [{ do: 'send', task: 'tasks.semantic_search', args: ['old'] }, { do: 'get' }],
      { task_protocol: 1 },
    );
    expect(value).toMatchObject({ value: { query: 'old' } });
  });

  it('answers a sender whose task was terminated in Temporal, once it is cancelled', async () => {
    const message = ask('slow');
    await open.publish('search', message);
    await eventually(() => expect(begun.get(message.id)).toBe(1));
    await open.world.client.workflow.getHandle(`task-${message.id}`).terminate('by hand');
    expect((await open.world.call('POST', `/tasks/${message.id}/cancel`, {})).status).toBe(202);
    const [told] = await user(open.redis.url, [{ do: 'get', of: message.id }]);
    expect(told).toMatchObject({ raises: 'TaskRevokedError', args: ['terminated'], status: 'REVOKED' });
  });

  it('answers a sender who asks for what was asked for over HTTP and is being worked at', async () => {
    const replyTo = `replies-${randomUUID()}`;
    await open.publish(replyTo, {});
    await open.next(replyTo);
    const message = ask('slow');
    const asked = { name: 'semantic_search', args: message.args, task_id: message.id };
    expect((await open.world.call('POST', '/tasks', asked)).status).toBe(202);
    await eventually(() => expect(begun.get(message.id)).toBe(1));
    await open.publish('search', message, { replyTo });
    await eventually(async () => expect(await listPendingReplies(open.world.db, message.id)).toHaveLength(1));
    expect((await open.world.call('POST', `/tasks/${message.id}/cancel`, {})).status).toBe(202);
    const reply = await open.next(replyTo);
    expect(JSON.parse(reply.content.toString())).toMatchObject({ task_id: message.id, status: 'REVOKED' });
  });

  it("takes N8N's messages, which say nothing but the body", async () => {
    const id = 'unique-task-id';
    await open.publish(
      'youtube',
      { id, task: 'tasks.ingest_youtube', args: ['https://youtube.com/watch?v=abcdefghijk'] },
      { headers: {} },
    );
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS', name: 'ingest_youtube', queue: 'youtube' });
  });

  it('makes a task once, however often its message comes, and tells each who sent it', async () => {
    const message = ask('once');
    const replies = [`replies-${randomUUID()}`, `replies-${randomUUID()}`];
    await open.publish('search', message);
    await ended(message.id);
    for (const replyTo of replies) {
      await open.publish(replyTo, {}, {});
      await open.next(replyTo);
      await open.publish('search', message, { replyTo });
      const reply = await open.next(replyTo);
      expect(JSON.parse(reply.content.toString())).toMatchObject({ task_id: message.id, status: 'SUCCESS' });
      expect(reply.properties.correlationId).toBe(message.id);
    }
    expect(begun.get(message.id)).toBe(1);
  });

  it('makes one task of equal messages without an id that come shortly after one another', async () => {
    const before = begun.size;
    const unnamed = { task: 'tasks.semantic_search', args: [`unnamed ${randomUUID()}`] };
    for (let i = 0; i < 3; i++) await open.publish('search', unnamed);
    await open.publish('search', unnamed, { messageId: 'told apart' });
    const last = ask('after the unnamed ones');
    await open.publish('search', last);
    await ended(last.id);
    await eventually(() => expect(begun.size).toBe(before + 3));
  });

  const BURIED: Array<[reason: string, body: unknown, options?: object]> = [
    ['not_json', Buffer.from('hello')],
    ['unsupported_content_type', Buffer.from([0x80, 0x04]), { contentType: 'application/x-python-serialize' }],
    ['unknown_task', { id: 'nope-1', task: 'tasks.nope' }],
    ['invalid_arguments', { id: 'bad-1', task: 'tasks.semantic_search', args: [] }],
    ['not_a_task', { id: 'x'.repeat(256), task: 'tasks.semantic_search', args: ['x'] }],
    [
      'not_a_task',
      { id: 'nul', task: 'tasks.semantic_search', args: ['x'], callbacks: [{ task: 'a', args: ['\u0000'] }] },
    ],
    ['task_id_reused', { id: 'reused', task: 'tasks.semantic_search', args: ['other'] }],
  ];
  it.each(BURIED)('puts among the dead letters, as it came: %s', async (reason, body, options) => {
    await open.publish('search', { id: 'reused', task: 'tasks.semantic_search', args: ['first'] });
    await ended('reused');
    await open.publish('search', body, { ...options, headers: { mine: 'kept' } });
    const dead = await open.next('hapax.dead-letter');
    expect(dead.properties.headers).toMatchObject({ 'hapax-reason': reason, 'hapax-queue': 'search', mine: 'kept' });
    expect(dead.content).toEqual(Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)));
    expect(await open.waiting('search')).toBe(0);
  });

  it('puts a task among the dead letters that follows another and that no queue takes', async () => {
    const callbacks = [{ task: 'tasks.elsewhere', options: { queue: 'no-such-queue' } }];
    await open.publish('search', { ...ask('followed'), callbacks });
    const dead = await open.next('hapax.dead-letter');
    expect(dead.properties.headers).toMatchObject({
      'hapax-reason': 'unroutable',
      'hapax-queue': 'no-such-queue',
      task: 'tasks.elsewhere',
    });
  });

  it('answers what ended while there was no bridge', async () => {
    const replyTo = `replies-${randomUUID()}`;
    await open.publish(replyTo, {});
    await open.next(replyTo);
    const message = { ...ask('slow'), expires: new Date(Date.now() + 60_000).toISOString() };
    await open.publish('search', message, { replyTo });
    await eventually(() => expect(begun.get(message.id)).toBe(1));
    await open.closeBridge();
    expect((await open.world.call('POST', `/tasks/${message.id}/cancel`, {})).status).toBe(202);
    await ended(message.id);
    await open.openBridge();
    const reply = await open.next(replyTo);
    expect(JSON.parse(reply.content.toString())).toMatchObject({ task_id: message.id, status: 'REVOKED' });
    const [stored] = await user(open.redis.url, [{ do: 'get', of: message.id }]);
    expect(stored).toMatchObject({ raises: 'TaskRevokedError' });
  });

  it('answers what ended while RabbitMQ and Redis were away, once they are back', async () => {
    const replyTo = `replies-${randomUUID()}`;
    await open.publish(replyTo, {});
    await open.next(replyTo);
    const message = ask('slow');
    await open.publish('search', message, { replyTo });
    await eventually(() => expect(begun.get(message.id)).toBe(1));
    // In order, since the queue of the reply is too new to outlive a kill; test/integration/rabbitmq.test.ts kills it.
    await Promise.all([open.rabbit.stop('SIGTERM'), open.redis.stop('SIGKILL')]);
    expect((await open.world.call('POST', `/tasks/${message.id}/cancel`, {})).status).toBe(202);
    await ended(message.id);
    await Promise.all([open.rabbit.start(), open.redis.start()]);
    const reply = await open.next(replyTo);
    expect(JSON.parse(reply.content.toString())).toMatchObject({ task_id: message.id, status: 'REVOKED' });
    const [stored] = await user(open.redis.url, [{ do: 'get', of: message.id }]);
    expect(stored).toMatchObject({ raises: 'TaskRevokedError' });
    expect(begun.get(message.id)).toBe(1);
  });

  it('never began the work of a task twice', () => {
    expect([...begun].filter(([, times]) => times !== 1)).toEqual([]);
  });
});
