import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import pino from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { eraseExpired } from '../../src/commands/erasures/erase-expired.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { type CelerySpec, celery, hasCelery } from '../world/celery.ts';
import { eventually } from '../world/eventually.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';

const SEARCH = 'tasks.semantic_search';

/** Chords of tasks in TypeScript; those of tasks in Python are compared with Celery's own in `python-worker.test.ts`. */
describeWith({ RabbitMQ: hasRabbitMq, Redis: hasRedis, 'Python with Celery': hasCelery() }, 'a chord', () => {
  let open: BridgeWorld;
  let held = Promise.resolve();
  const begun = new Map<string, number>();
  const user = (...steps: CelerySpec['steps']) =>
    celery({ broker: open.rabbit.url, backend: open.redis.url, steps, conf: {} });
  const search = (query: string) => ({ task: SEARCH, args: [query] });
  const chord = (members: string[], more: object = {}) => ({
    ...{ do: 'chord', of: members.map(search), body: SEARCH, args: ['after'] },
    ...more,
  });
  const ended = (id: string) =>
    eventually(async () => {
      const { json } = await open.world.call('GET', `/tasks/${id}`);
      expect(json.completed_at).toBeTypeOf('string');
      return json;
    });

  beforeAll(async () => {
    open = await openBridgeWorld({
      async semantic_search({ query }, { taskId }) {
        begun.set(taskId, (begun.get(taskId) ?? 0) + 1);
        if (query.startsWith('held')) await held;
        if (query === 'fail') throw new PermanentTaskError({ type: 'ValueError', message: 'boom' });
        return { query, results: [] };
      },
    });
    await open.openBridge();
  });
  afterAll(() => open?.close());

  it('goes on when all its members have ended, and leaves nothing in Redis for ever', async () => {
    const [, joined] = await user(chord(['a', 'b', 'c']), { do: 'get' });
    expect(joined).toMatchObject({ value: { query: 'after' }, status: 'SUCCESS' });
    const redis = await createClient({ url: open.redis.url }).connect();
    onTestFinished(() => redis.destroy());
    await eventually(async () => {
      const keys = await redis.keys('*');
      const kept = await Promise.all(keys.map((key) => redis.ttl(key)));
      expect(keys.filter((_, at) => kept[at] === -1)).toEqual([]);
    });
  });

  it('fails as Celery has it where a member fails, and asks for the error links', async () => {
    const told = randomUUID();
    const [{ id }] = await user(chord(['a', 'fail', 'b'], { link_error: told }));
    // The client that sent it raises the error of the member; another one knows the id alone.
    const [failed] = await user({ do: 'get', of: id });
    const reason = expect.stringMatching(/^Dependency [\w-]+ raised ValueError\('boom'\)$/);
    expect(failed).toMatchObject({ raises: 'ChordError', module: 'celery.exceptions', args: [reason] });
    // No worker of Celery is there that would call it with the exception.
    expect(await ended(told)).toMatchObject({ name: 'semantic_search', status: 'SUCCESS' });
  });

  it('fails where a member is refused, whose client waits for the chord', async () => {
    const told = randomUUID();
    const of = [search('a'), { task: SEARCH, args: [7] }];
    const [{ id }] = await user({ ...chord([]), of, link_error: told });
    const [failed] = await user({ do: 'get', of: id });
    const reason = expect.stringMatching(/^Dependency [\w-]+ raised TypeError\(/);
    expect(failed).toMatchObject({ status: 'FAILURE', raises: 'ChordError', args: [reason] });
    expect(await ended(told)).toMatchObject({ status: 'SUCCESS' });
  });

  it('fails where a chain that is a member is refused before its end', async () => {
    const [group, body, good, last] = Array.from({ length: 4 }, () => randomUUID());
    const told = randomUUID();
    const signature = (args: unknown[], options: object) => ({
      ...{
        task: SEARCH,
        args,
        kwargs: {},
        options: { queue: 'search', ...options },
        subtask_type: null,
        immutable: true,
      },
    });
    const follows = signature(['joined'], { task_id: body, link_error: [signature(['told'], { task_id: told })] });
    const end = signature(['b'], { task_id: last, group_id: group, group_index: 0, chord: follows });
    const publish = (args: unknown[], headers: object, embed: object) =>
      open.publish('search', [args, {}, { callbacks: null, errbacks: null, chain: null, chord: null, ...embed }], {
        ...{ contentType: 'application/json', headers: { lang: 'py', task: SEARCH, retries: 0, ...headers } },
      });
    await user({ do: 'count', group, size: 2 });
    await publish([7], { id: randomUUID() }, { chain: [end] });
    await publish(['c'], { id: good, group, group_index: 1 }, { chord: follows });
    // The error link of the body: the chord has ended.
    expect(await ended(told)).toMatchObject({ status: 'SUCCESS' });
    const [failed] = await user({ do: 'get', of: body! });
    expect(failed).toMatchObject({ status: 'FAILURE', raises: 'ChordError' });
  });

  it('counts each member once, however often its message comes', async () => {
    const [group, body, first, second] = Array.from({ length: 4 }, () => randomUUID());
    const member = (id: string | undefined, index: number) => [
      [[`member ${index}`], {}, { callbacks: null, errbacks: null, chain: null, chord: follows }],
      {
        contentType: 'application/json',
        headers: { lang: 'py', task: SEARCH, id, group, group_index: index, retries: 0 },
      },
    ];
    const options = { task_id: body, queue: 'search', group_id: group };
    const follows = { task: SEARCH, args: ['joined'], kwargs: {}, options, subtask_type: null, immutable: true };
    const publish = ([message, how]: unknown[]) => open.publish('search', message, how as object);
    await user({ do: 'count', group, size: 2 });
    for (let times = 0; times < 3; times++) await publish(member(first, 0));
    await ended(first!);
    await publish(member(first, 0));
    await publish(member(second, 1));
    expect(await ended(body!)).toMatchObject({ status: 'SUCCESS', result: { query: 'joined' } });
    await publish(member(second, 1));
    await eventually(async () => expect(await open.waiting('search')).toBe(0));
    expect([first, second, body].map((id) => begun.get(id!))).toEqual([1, 1, 1]);
  });

  /** Sends a chord, and returns its id and its first member, which has ended, while the other one works until `release`. */
  async function halfDone(name: string) {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    held = promise;
    const [{ id }] = await user(chord([name, `held for ${name}`]));
    const { db } = open.world;
    const [part] = await eventually(async () => {
      const parts = await db<Array<{ task_id: string; group_id: string }>>`
        SELECT task_id, group_id FROM chord_parts JOIN tasks ON tasks.id = task_id WHERE args::text LIKE ${`%"${name}"%`}`;
      expect(parts).toHaveLength(1);
      return parts;
    });
    return { id, release, first: part!.task_id, group: part!.group_id };
  }

  it('goes on if the data of a member that ended earlier is kept only for a time', async () => {
    const { id, release, first, group } = await halfDone('early');
    const { db, client } = open.world;
    const log = pino({ level: 'silent' });
    const sweep = () =>
      eraseExpired({ db, client, content: {} as never, log, keepArgumentsMs: 0, keepContentMs: undefined }, 60_000);
    const erasedAt = async () => (await open.world.call('GET', `/tasks/${first}`)).json.erased_at;
    await sweep();
    expect(await erasedAt()).toBeNull();
    release();
    const [joined] = await user({ do: 'get', of: id });
    expect(joined).toMatchObject({ value: { query: 'after' }, status: 'SUCCESS' });
    await eventually(async () => expect(await db`SELECT FROM chord_parts WHERE group_id = ${group}`).toHaveLength(0));
    await eventually(async () => {
      await sweep();
      expect(await erasedAt()).toBeTypeOf('string');
    });
  });

  it('fails if the data of a member was erased before the others ended', async () => {
    const { id, release, first } = await halfDone('erased');
    await eventually(async () => {
      const { json } = await open.world.call('POST', '/erasures', { ids: [`task:${first}`] });
      expect(json.done).toEqual([`task:${first}`]);
    });
    release();
    const [failed] = await user({ do: 'get', of: id });
    const args = [`Dependency ${first} raised Erased('its result was erased')`];
    expect(failed).toMatchObject({ status: 'FAILURE', raises: 'ChordError', args });
  });

  it('is refused where only a worker of Celery can unfold what follows', async () => {
    const link = { task: 'celery.chain', options: { kwargs: { tasks: [] }, subtask_type: 'chain' } };
    const [{ id }] = await user({ do: 'send', task: SEARCH, args: ['a'], options: { link } });
    const [end] = await user({ do: 'get', of: id, timeout: 10 });
    expect(end).toMatchObject({ raises: 'NotImplementedError', status: 'FAILURE' });
  });
});
