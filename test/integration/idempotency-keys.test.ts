import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAnotherApi, startCutOffApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('an Idempotency-Key', () => {
  let world: World;
  const works: string[] = [];
  beforeAll(async () => {
    world = await openWorld(
      'server',
      {},
      {
        async process_content({ content_id }) {
          works.push(content_id);
          return { embed: 'completed' };
        },
        async ingest_youtube() {
          throw new Error('no such video');
        },
      },
    );
  });
  afterAll(() => world.close());

  type Route = [name: string, path: string, content: (n: number) => object];
  const native: Route = [
    'POST /tasks',
    '/tasks',
    (n) => ({ name: 'process_content', args: [`content-${n}`, ['embed']] }),
  ];
  const ROUTES: Route[] = [
    native,
    ['POST /youtube/ingest-async', '/youtube/ingest-async', (n) => ({ url: `https://youtu.be/dQw4w9Wg${100 + n}` })],
    ...['apply', 'async-apply', 'send-task'].map(
      (how): Route => [
        `Flower's ${how}`,
        `/api/task/${how}/tasks.process_content`,
        (n) => ({ args: [`content-${n}`, ['embed']] }),
      ],
    ),
    ["Flower's send-task of an unknown task", '/api/task/send-task/tasks.unheard_of', (n) => ({ args: [n] })],
  ];
  const post = (path: string, body: object, key: string, api: Pick<World, 'call'> = world) =>
    api.call('POST', path, body, { 'idempotency-key': key });
  const idOf = ({ json }: { json: Record<string, string> }) => json.task_id ?? json['task-id'];

  it.each(ROUTES)('makes one task, however often and from however many it comes: %s', async (_name, path, content) => {
    const key = `n8n-${randomUUID()}`;
    const another = await startAnotherApi(world);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => post(path, content(1), key, n % 2 ? another : world)),
    );
    expect(new Set(answers.map(({ status }) => status)).size, answers[0]!.text).toBe(1);
    expect(new Set(answers.map(idOf)).size).toBe(1);
    const again = await post(path, content(1), key);
    expect([idOf(again), again.status]).toEqual([idOf(answers[0]!), answers[0]!.status]);
    expect(idOf(await post(path, content(1), `${key}-2`)) === idOf(again)).toBe(path.startsWith('/youtube'));
  });

  it.each(ROUTES)('is refused with other content: %s', async (_name, path, content) => {
    const key = randomUUID();
    await post(path, content(2), key);
    const { status, text } = await post(path, content(3), key);
    expect(status).toBe(422);
    expect(text).toContain('with this key with other content; use a new key');
    // By another route it is another key.
    const [, other, otherContent] = path === '/tasks' ? ROUTES[1]! : native;
    expect((await post(other, otherContent(4), key)).status).toBe(202);
  });

  it.each(ROUTES)('that is not valid is refused before anything starts: %s', async (_name, path, content) => {
    for (const key of ['', 'x'.repeat(256), 'zwölf']) {
      const { status } = await post(path, content(5), Buffer.from(key).toString('latin1'));
      expect([key, status]).toEqual([key, 400]);
    }
  });

  it('says that nothing new was made', async () => {
    const key = randomUUID();
    const replayed = async () => (await post('/tasks', native[2](6), key)).headers.get('idempotent-replayed');
    expect([await replayed(), await replayed()]).toEqual([null, 'true']);
    const flower = async () =>
      (await post('/api/task/async-apply/process_content', native[2](6), key)).headers.get('idempotent-replayed');
    expect([await flower(), await flower()]).toEqual([null, 'true']);
  });

  it('does the work once', async () => {
    const key = randomUUID();
    const id = idOf(await post('/tasks', native[2](7), key))!;
    const status = async () => (await world.call('GET', `/tasks/${id}`)).json.status;
    await eventually(async () => expect(await status()).toBe('SUCCESS'));
    for (let n = 0; n < 3; n++) expect((await post('/tasks', native[2](7), key)).json.status).toBe('SUCCESS');
    expect(works.filter((content) => content === 'content-7')).toHaveLength(1);
  });

  it('of a video that failed answers how it failed; only a new request begins it again', async () => {
    const video = { url: 'https://youtu.be/dQw4w9WgXcQ' };
    const key = randomUUID();
    const id = idOf(await post('/youtube/ingest-async', video, key))!;
    const task = async () => (await world.call('GET', `/tasks/${id}`)).json;
    await eventually(async () => expect(await task()).toMatchObject({ status: 'FAILURE' }));
    expect((await post('/youtube/ingest-async', video, key)).json).toEqual({ task_id: id, status: 'FAILURE' });
    expect(await task()).toMatchObject({ redrives: 0 });
    expect((await post('/youtube/ingest-async', video, randomUUID())).json.status).toBe('queued');
    await eventually(async () => expect(await task()).toMatchObject({ status: 'FAILURE', redrives: 1 }));
  });

  it('beside a task_id is for that task only', async () => {
    const key = randomUUID();
    const body = { ...native[2](8), task_id: randomUUID() };
    expect((await post('/tasks', body, key)).status).toBe(202);
    expect((await post('/tasks', body, key)).json.task_id).toBe(body.task_id);
    const { status, json } = await post('/tasks', { ...body, task_id: randomUUID() }, key);
    expect([status, json.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('makes one build configuration', async () => {
    const key = randomUUID();
    const body = { name: `made-${key}`, repository: 'acme/images', workflow: 'build.yml' };
    const answers = await Promise.all(Array.from({ length: 4 }, () => post('/configs', body, key)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(3);
    const other = await post('/configs', { ...body, workflow: 'other.yml' }, key);
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused']);
    expect((await post('/configs', body, randomUUID())).status).toBe(409);
    expect((await post('/configs', body, 'x'.repeat(256))).status).toBe(400);
  });

  it('works without the record: Temporal decides who was first', async () => {
    const cutOff = await startCutOffApi(world);
    const key = randomUUID();
    const first = await post('/tasks', native[2](9), key, cutOff);
    const second = await post('/tasks', native[2](9), key, cutOff);
    expect([first.status, second.status, idOf(second)]).toEqual([202, 202, idOf(first)]);
    expect((await post('/tasks', native[2](10), key, cutOff)).status).toBe(422);
  });

  it('goes back in time with its task: `at` of an event shows it as it was then', async () => {
    const { json } = await world.call('POST', '/tasks', native[2](11));
    const { task_id: id } = json;
    await eventually(async () => expect((await world.call('GET', `/tasks/${id}`)).json.status).toBe('SUCCESS'));
    const { json: events } = await world.call('GET', `/tasks/${id}/events`);
    let status = '';
    for (const { timestamp, recorded_at, to_status } of events) {
      status = to_status ?? status;
      for (const at of [timestamp, recorded_at]) {
        const then = (await world.call('GET', `/tasks/${id}?at=${at}`)).json;
        const listed = (await world.call('GET', `/tasks?at=${at}`)).json.tasks;
        expect(listed.find((task: { task_id: string }) => task.task_id === id)?.status).toBe(then.status);
      }
    }
    expect(status).toBe('SUCCESS');
    expect((await world.call('GET', `/tasks/${id}?at=2026-11-21T10:00:00Z`)).status).toBe(404);
  });
});
