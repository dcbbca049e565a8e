import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TaskTypes } from '../../src/commands/tasks/task-types.ts';
import { REGISTER_WORKFLOW, type Registered } from '../../src/contracts/tasks/registration-workflow.ts';
import { taskQueueOf, WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { registerTaskTypes } from '../../src/store/tasks/task-type-register.ts';
import { retireTaskType } from '../../src/store/tasks/task-type-retire.ts';
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

  /** A worker that polls a queue for Python, and works at nothing. */
  async function pollFor(queue: string, identity: string): Promise<{ stop(): Promise<void> }> {
    const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
    const polling = await Worker.create({
      ...{ connection, namespace: world.namespace, identity, taskQueue: taskQueueOf(queue, 'python') },
      activities: { nothing: () => Promise.resolve() },
    });
    const running = polling.run();
    return {
      async stop() {
        polling.shutdown();
        await running;
        await connection.close();
      },
    };
  }

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

  it('knows who has registered a name of ours with `tasks.` before it, however long it has not looked', async () => {
    const name = 'tasks.ingest_url';
    const types = new TaskTypes(world.db, SILENT);
    await eventually(async () => expect((await types.find(name))?.registered_by).toMatch(/@/));
    await registerTaskTypes(world.db, {
      ...{ version: 1, identity: '9@elsewhere', runtime: 'python', queues: ['theirs'] },
      types: [{ ...ADD, name, queue: 'theirs' }],
    });
    expect(await types.find(name)).toMatchObject({ name, runtime: 'python', queue: 'theirs' });
    expect(await types.find('ingest_url')).toMatchObject({ name: 'ingest_url', runtime: 'built-in' });
    expect(await retireTaskType(world.db, name, { name: 'theirs', runtime: 'python' })).toBe(true);
    await types.readAgain();
    expect(await types.find(name)).toMatchObject({ name: 'ingest_url', runtime: 'built-in' });
  });

  it('takes any queue, which is there from its first task on', async () => {
    expect((await post({ name: 'semantic_search', args: ['a'], queue: 'brand-new.1' })).status).toBe(202);
    const queue = (await world.call('GET', '/queues')).json.find(
      ({ name }: { name: string }) => name === 'brand-new.1',
    );
    expect(queue).toMatchObject({ depth: 1, pollers: 0 });
    expect((await world.call('POST', '/queues/brand-new.1/pause')).json.paused).toEqual(expect.anything());
    expect((await world.call('GET', '/tasks?queue=brand-new.1')).json.tasks).toHaveLength(1);
    for (const queue of ['workflows', 'bridge', 'a b', '../x', 'a@b', '']) {
      expect((await post({ name: 'semantic_search', args: ['a'], queue })).status, queue).toBe(400);
    }
  });

  it('says who polls a queue for Python', async () => {
    const polling = await pollFor('math', '7@elsewhere');
    await eventually(async () => {
      const found = (await world.call('GET', '/workers')).json as Array<{ identity: string; queue: string }>;
      expect(found).toContainEqual(expect.objectContaining({ identity: '7@elsewhere', queue: 'math' }));
    });
    await polling.stop();
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

  it('retires a type that nobody serves and nothing waits for, until a worker registers it again', async () => {
    const polling = await pollFor('old', '9@elsewhere');
    const served = (names: string[]) =>
      register(
        names.map((name) => ({ ...ADD, name, queue: 'old' })),
        ['old'],
        { identity: '9@elsewhere' },
      );
    const { types } = await served(['app.old', 'app.kept']);
    const task = (await post({ name: 'app.old', args: [1, 2] })).json.task_id;
    const retire = (name = 'app.old') => world.call('DELETE', `/task-types/${name}`);
    const refused = async (why: RegExp) => {
      const { status, json } = await retire();
      expect([status, json.code], json.detail).toEqual([409, 'state_conflict']);
      expect(json.detail).toMatch(why);
    };
    const get = async (path: string) => (await world.call('GET', path)).json;
    const servedBy = async (name: string) => (await get(`/task-types/${name}`)).served_by.length;
    await eventually(async () => expect(await servedBy('app.old')).toBe(1));
    await refused(/was served in the last 90 seconds by 9@elsewhere/);
    // The worker stays, without this task.
    await served(['app.kept']);
    await eventually(async () => expect([await servedBy('app.old'), await servedBy('app.kept')]).toEqual([0, 1]));
    await eventually(async () =>
      expect((await get(`/tasks/${task}`)).waiting_for).toBe('no worker of the queue old has the task app.old'),
    );
    await refused(/tasks of app\.old have not ended/);
    await world.call('POST', `/tasks/${task}/cancel`, {});
    await eventually(async () => expect(await get(`/tasks/${task}`)).toMatchObject({ status: 'REVOKED' }));
    const schedule = { cron: ['0 3 * * *'], task: { name: 'app.old', args: [1, 2] } };
    expect((await world.call('PUT', '/schedules/nightly', schedule)).status).toBe(201);
    await refused(/the schedule nightly sends app\.old/);
    await world.call('DELETE', '/schedules/nightly');
    expect((await retire()).status).toBe(204);
    expect((await retire()).status).toBe(404);
    expect((await world.call('GET', '/task-types/app.old')).status).toBe(404);
    expect((await post({ name: 'app.old', args: [1, 2] })).json.code).toBe('unknown_task');
    expect((await retire('ingest_url')).json.detail).toContain('is a task of Hapax itself');
    // One that is started again waits under its own version, and for a worker.
    expect((await world.call('POST', `/tasks/${task}/retry`, {})).status).toBe(202);
    await eventually(async () =>
      expect((await get(`/tasks/${task}`)).waiting_for).toBe('no worker has registered the task app.old yet'),
    );
    const [row] = await world.db`SELECT type_version FROM tasks WHERE id = ${task}`;
    expect(row).toEqual({ type_version: types[0]!.version });
    await served(['app.old', 'app.kept']);
    await eventually(async () => expect(await servedBy('app.old')).toBe(1));
    expect((await post({ name: 'app.old', args: [1, 2] })).status).toBe(202);
    await polling.stop();
  });

  it('forgets the queue of a retired type, if nothing else uses it', async () => {
    const names = ['app.first', 'app.second'];
    await register(
      names.map((name) => ({ ...ADD, name, queue: 'lone' })),
      ['lone'],
      { identity: '8@elsewhere' },
    );
    const queues = async () => (await world.call('GET', '/queues')).json.map(({ name }: { name: string }) => name);
    expect((await world.call('DELETE', '/task-types/app.first')).status).toBe(204);
    expect(await queues()).toContain('lone');
    expect((await world.call('DELETE', '/task-types/app.second')).status).toBe(204);
    expect(await queues()).not.toContain('lone');
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
