import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { eventually } from '../world/eventually.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';

describeWith({ RabbitMQ: hasRabbitMq, Redis: hasRedis }, 'messages that became no task', () => {
  let open: BridgeWorld;
  beforeAll(async () => {
    open = await openBridgeWorld({ semantic_search: async ({ query }) => query });
    await open.openBridge();
  });
  afterAll(() => open?.close());

  const get = async (path: string) => (await open.world.call('GET', path)).json;
  /** The dead letters of a queue, once there are so many. */
  const letters = (queue: string, count: number) =>
    eventually(async () => {
      const all = (await get('/dlq?kind=message&limit=200')).dead_letters;
      const found = all.filter(({ message }: { message: { queue: string } }) => message.queue === queue);
      expect(found).toHaveLength(count);
      return found;
    });

  it('are listed with the reason, told whole, counted when they are refused again, and discarded', async () => {
    const message = { id: 'dead/1', task: 'tasks.nope', args: ['a'] };
    await open.publish('content', message, { headers: { tenant: 'acme' }, correlationId: 'dead/1' });
    const [listed] = await letters('content', 1);
    expect(listed).toMatchObject({
      kind: 'message',
      reason: expect.stringContaining('tasks.nope'),
      needs_attention: false,
      message: { queue: 'content', code: 'unknown_task', task_id: 'dead/1', refusals: 1 },
    });
    // The queue has it too.
    expect((await open.next('hapax.dead-letter')).properties.headers).toMatchObject({ 'hapax-reason': 'unknown_task' });
    const path = `/dlq/${encodeURIComponent(listed.id)}`;
    expect(await get(path)).toMatchObject({
      body: JSON.stringify(message),
      publication: { headers: { tenant: 'acme' }, correlation_id: 'dead/1', routing_key: 'content' },
      events: [],
    });

    const redriven = await open.world.call('POST', `${path}/redrive`);
    expect([redriven.status, redriven.json.status]).toEqual([202, 'queued']);
    // It is as wrong as before: the same dead letter, once.
    await eventually(async () => expect((await get(path)).message?.refusals).toBe(2));
    expect(await letters('content', 1)).toMatchObject([{ id: listed.id }]);
    expect((await open.world.call('DELETE', path)).status).toBe(204);
    await letters('content', 0);
    expect((await open.world.call('GET', path)).status).toBe(404);
    expect((await open.world.call('POST', `${path}/redrive`)).status).toBe(404);
    // Nothing is deleted.
    const [kept] = await open.world.db`SELECT * FROM dead_messages`;
    expect(kept).toMatchObject({ settled: 'discarded', settled_by: 'local', refusals: 2 });
  });

  it('are told apart by what their publisher said of them, also where they are published again', async () => {
    const message = { task: 'tasks.none' };
    for (const said of [{ messageId: 'a' }, { messageId: 'b' }, { timestamp: 1 }, {}]) {
      await open.publish('youtube', message, said);
    }
    const all = await letters('youtube', 4);
    const publicationOf = async ({ id }: { id: string }) => (await get(`/dlq/${encodeURIComponent(id)}`)).publication;
    const publications = await Promise.all(all.map(publicationOf));
    const said = publications.map(({ message_id, timestamp }) => message_id ?? timestamp);
    expect(new Set(said)).toEqual(new Set(['a', 'b', 1, undefined]));
    for (const { id } of all) {
      expect((await open.world.call('POST', `/dlq/${encodeURIComponent(id)}/redrive`)).status).toBe(202);
    }
    await eventually(async () => {
      const again = await letters('youtube', 4);
      expect(again.map((letter: { message: { refusals: number } }) => letter.message.refusals)).toEqual([2, 2, 2, 2]);
      expect(again.map(({ id }: { id: string }) => id).sort()).toEqual(all.map(({ id }: { id: string }) => id).sort());
    });
  });

  it('are published again, once, however often that is asked for', async () => {
    const link = { task: 'tasks.elsewhere', args: [], options: { queue: 'not-yet-there', task_id: 'later-1' } };
    await open.publish('search', {
      id: 'with-link',
      task: 'tasks.semantic_search',
      args: ['hello'],
      callbacks: [link],
    });
    const [listed] = await letters('not-yet-there', 1);
    expect(listed).toMatchObject({ message: { code: 'unroutable', task_id: 'later-1', task: 'tasks.elsewhere' } });
    await open.purge('not-yet-there');
    await open.closeBridge();
    const path = `/dlq/${encodeURIComponent(listed.id)}/redrive`;
    const answers = await Promise.all([1, 2, 3].map(() => open.world.call('POST', path)));
    expect(answers.map(({ status }) => status).filter((status) => status === 202).length).toBeGreaterThan(0);
    // The bridge is away: it waits for it.
    await letters('not-yet-there', 0);
    await open.openBridge();
    const message = await open.next('not-yet-there');
    expect(JSON.parse(message.content.toString())[0]).toEqual(['hello']);
    expect(message.properties.correlationId).toBe('later-1');
    expect(await open.waiting('not-yet-there')).toBe(0);
  });

  it('page together with other dead letters, and are filtered', async () => {
    await open.publishAll(
      'search',
      ['x', 'y', 'z'].map((id) => ({ id, task: 'tasks.none' })),
    );
    await open.publish('content', Buffer.from([0xff, 0x00, 0x22]));
    await letters('search', 3);
    const [binary] = await letters('content', 1);
    expect(await get(`/dlq/${encodeURIComponent(binary.id)}`)).toMatchObject({ body: null, body_base64: '/wAi' });
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { dead_letters: Array<{ id: string }>; next_cursor: string | null } = await get(
        `/dlq?limit=1${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...page.dead_letters.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect([seen.length, new Set(seen).size]).toEqual([8, 8]);
    expect((await get('/dlq?queue=search')).dead_letters).toHaveLength(3);
    expect((await get('/dlq?kind=task')).dead_letters).toEqual([]);
    expect((await get('/dlq?ref=main')).dead_letters).toEqual([]);
    expect((await open.world.call('GET', '/dlq/message:nope')).status).toBe(400);
  });
});
