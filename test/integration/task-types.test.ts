import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TaskTypes } from '../../src/commands/tasks/task-types.ts';
import { REGISTER_WORKFLOW, type Registered } from '../../src/contracts/tasks/registration-workflow.ts';
import { taskQueueOf, WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { registerTaskTypes } from '../../src/store/tasks/task-type-register.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

const SILENT = pino({ level: 'silent' });

const plain = { doc: null, schema: null, soft_time_limit: null, time_limit: null, max_retries: null };
const ADD = {
  ...{ ...plain, name: 'app.add', queue: 'math', retry_delay: null, rate_limit: null, options: { acks_late: true } },
  parameters: ['x', 'y'].map((name) => ({ name, kind: 'positional_or_keyword' as const, required: true })),
};

describe('the registry of task types', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());

  /** As a worker in another language does: through Temporal alone. */
  const register = (types: unknown[], queues: string[] = [], also: object = {}): Promise<Registered> =>
    world.client.workflow.execute(REGISTER_WORKFLOW, {
      workflowId: `register-${randomUUID()}`,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [{ version: 1, identity: '7@elsewhere', runtime: 'python', queues, types, ...also }],
    });
  const post = (body: object) => world.call('POST', '/tasks', body);

  it('has the built-in tasks, which our workers register', async () => {
    const types = new TaskTypes(world.db, SILENT);
    await eventually(async () =>
      expect(await types.find('tasks.ingest_url')).toMatchObject({
        ...{ name: 'ingest_url', runtime: 'built-in', queue: 'content', registered_by: expect.stringMatching(/@/) },
      }),
    );
  });

  it('takes what a worker in another language registers, and checks the arguments of its tasks', async () => {
    const { types } = await register([ADD], ['math', 'slow']);
    expect(types).toEqual([{ name: 'app.add', version: expect.stringMatching(/^[\da-f]{16}$/) }]);
    // Known to the API without a wait: an unknown name is looked up.
    const accepted = await post({ name: 'app.add', args: [1, 2], task_id: 'first' });
    expect(accepted).toMatchObject({ status: 202, json: { task_id: 'first', status: 'queued' } });
    const refused = await post({ name: 'app.add', args: [1], kwargs: { z: 1 } });
    expect(refused).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    expect(refused.json.errors).toEqual([
      { path: 'body.kwargs.z', message: 'is no argument of this task' },
      { path: 'body.kwargs.y', message: 'is missing' },
    ]);
    // Named as it came or not: the same arguments.
    expect(
      (await post({ name: 'app.add', kwargs: { y: 2, x: 1 }, task_id: 'first' })).headers.get('idempotent-replayed'),
    ).toBe('true');
    const [row] = await world.db`SELECT queue, type_version FROM tasks WHERE id = 'first'`;
    expect(row).toEqual({ queue: 'math', type_version: types[0]!.version });
    const names = (await world.call('GET', '/queues')).json.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['builds', 'youtube', 'content', 'search', 'math', 'slow', 'callbacks', 'bridge']);
  });

  it('takes any queue, which is there from its first task on', async () => {
    expect((await post({ name: 'semantic_search', args: ['a'], queue: 'brand-new.1' })).status).toBe(202);
    const queue = (await world.call('GET', '/queues')).json.find(
      ({ name }: { name: string }) => name === 'brand-new.1',
    );
    expect(queue).toMatchObject({ depth: 1, pollers: 0 });
    expect((await world.call('POST', '/queues/brand-new.1/pause')).json.paused).not.toBeNull();
    expect((await world.call('GET', '/tasks?queue=brand-new.1')).json.tasks).toHaveLength(1);
    for (const queue of ['workflows', 'bridge', 'a b', '../x', 'a@b', '']) {
      expect((await post({ name: 'semantic_search', args: ['a'], queue })).status, queue).toBe(400);
    }
  });

  it('says who polls a queue for Python', async () => {
    const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
    const polling = await Worker.create({
      ...{ connection, namespace: world.namespace, identity: '7@elsewhere', taskQueue: taskQueueOf('math', 'python') },
      // It polls, and works at nothing.
      activities: { nothing: () => Promise.resolve() },
    });
    const running = polling.run();
    await eventually(async () => {
      const found = (await world.call('GET', '/workers')).json as Array<{ identity: string; queue: string }>;
      expect(found).toContainEqual(expect.objectContaining({ identity: '7@elsewhere', queue: 'math' }));
    });
    polling.shutdown();
    await running;
    await connection.close();
  });

  it.each<[what: string, types: object[], also: object, said: RegExp]>([
    ['the name of a built-in task', [{ ...ADD, name: 'ingest_url' }], {}, /ingest_url is the name of a task of Hapax/],
    ['a rate that is none', [{ ...ADD, rate_limit: 'often' }], {}, /rate limit often/],
    ['a queue that is no name', [{ ...ADD, queue: 'a@b' }], {}, /types\.0\.queue/],
    ['another version of the protocol', [ADD], { version: 2 }, /version/],
    ['a name with spaces', [{ ...ADD, name: 'a b' }], {}, /types\.0\.name/],
    ['one name twice', [ADD, ADD], {}, /registered twice/],
  ])('refuses %s, and says why', async (_, types, also, said) => {
    const refused = await register(types, [], also).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(WorkflowFailedError);
    const { cause } = (refused as WorkflowFailedError).cause as Error;
    expect(cause).toMatchObject({ type: 'RegistrationRefused', message: expect.stringMatching(said) });
  });

  it('lets a task wait that nobody has registered yet, if it names a queue that nobody serves yet', async () => {
    await register([], ['soon']);
    const early = { name: 'app.later', args: [1], queue: 'soon' };
    const { status, json } = await eventually(async () => {
      const accepted = await post(early);
      expect(accepted.status).toBe(202);
      return accepted;
    });
    expect(status).toBe(202);
    const get = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;
    await eventually(async () =>
      expect(await get(json.task_id)).toMatchObject({
        ...{ status: 'PENDING', queue: 'soon', waiting_for: 'no worker has registered the task app.later yet' },
      }),
    );
    const expiring = (await post({ ...early, expires: 0.5 })).json.task_id;
    await eventually(async () => expect(await get(expiring)).toMatchObject({ status: 'REVOKED', reason: 'expired' }));
    const revoked = (await post(early)).json.task_id;
    await world.call('POST', `/tasks/${revoked}/cancel`, {});
    await eventually(async () => expect(await get(revoked)).toMatchObject({ status: 'REVOKED' }));
    await register([{ ...ADD, name: 'app.later', queue: 'soon' }]);
    await eventually(async () =>
      expect(await get(json.task_id)).toMatchObject({
        waiting_for: 'no worker asked for tasks of the queue soon in the last 90 seconds',
      }),
    );
    // A queue that is served now, and one that nobody knows: as before.
    expect((await post({ ...early, name: 'app.nobody', queue: 'content' })).status).toBe(422);
    expect((await post({ ...early, name: 'app.nobody', queue: 'no-such' })).status).toBe(422);
    expect((await world.call('POST', '/api/task/async-apply/app.nobody', { queue: 'soon' })).status).toBe(404);
  });

  it('lists types with who serves them', async () => {
    const { json } = await world.call('GET', '/task-types');
    const type = (name: string) => json.find((one: { name: string }) => one.name === name);
    expect(type('semantic_search')).toMatchObject({
      runtime: 'built-in',
      queue: 'search',
      served_by: [{ identity: expect.any(String) }],
    });
    expect(type('app.add')).toMatchObject({
      runtime: 'python',
      options: { acks_late: true },
      registered_by: '7@elsewhere',
    });
    expect((await world.call('GET', '/task-types/app.add')).json.parameters).toEqual(ADD.parameters);
    expect((await world.call('GET', '/task-types/no.such')).status).toBe(404);
  });

  it('refuses unknown tasks as before, and says what there is', async () => {
    const { status, json } = await post({ name: 'nobody.knows', args: [] });
    expect(status).toBe(422);
    expect(json).toMatchObject({
      code: 'unknown_task',
      detail: expect.stringMatching(
        /^nobody\.knows is not one of ingest_youtube, .*, semantic_search, app\.add, app\.later$/,
      ),
    });
  });

  it('finds a type in far less than a millisecond with 100 types and 50 queues, and sees a changed one', async () => {
    const many = Array.from({ length: 100 }, (_, n) => ({ ...ADD, name: `many.t${n}`, queue: `q${n % 50}` }));
    const begun = performance.now();
    await registerTaskTypes(world.db, {
      version: 1,
      identity: '7@elsewhere',
      runtime: 'python',
      queues: [],
      types: many,
    });
    const registering = performance.now() - begun;
    const types = new TaskTypes(world.db, SILENT);
    await types.find('many.t0');
    const looked = performance.now();
    for (let n = 0; n < 10_000; n++) expect(await types.find(`many.t${n % 100}`)).toBeDefined();
    const each = (performance.now() - looked) / 10_000;
    console.log(`registering 100 types: ${registering.toFixed(1)} ms; finding one: ${(each * 1_000).toFixed(1)} µs`);
    expect(each).toBeLessThan(1);
    const changed = { ...ADD, name: 'many.t0', queue: 'elsewhere' };
    await registerTaskTypes(world.db, {
      version: 1,
      identity: '7@elsewhere',
      runtime: 'python',
      queues: [],
      types: [changed],
    });
    await eventually(async () => expect((await types.find('many.t0'))?.queue).toBe('elsewhere'));
  });
});
