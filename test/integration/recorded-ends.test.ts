import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { TASK_WORKFLOW, type TaskInput, taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { openWorld, type World } from '../world/world.ts';
import { reconcileWorld } from './reconcile-world.ts';

/** State of a pending activity that a worker has. */
const STARTED = 2;

const PROGRAM = join(import.meta.dirname, 'programs/cut-off-worker.ts');

/** A worker in a process of its own, which reaches Temporal and Postgres on ways that can be frozen. */
async function startWorker(world: World) {
  const temporal = await startFreezingProxy(Number(inject('temporalAddress').split(':')[1]));
  const url = new URL(world.databaseUrl);
  const database = await startFreezingProxy(Number(url.port));
  url.port = String(database.port);
  const args = [PROGRAM, `127.0.0.1:${temporal.port}`, world.namespace, url.href];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => said.push(line));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await temporal.close();
    await database.close();
  });
  return {
    temporal,
    database,
    /** How many tasks it has begun. */
    get begun() {
      return said.length;
    },
    async hasBegun(times = 1) {
      await eventually(() => expect(said).toHaveLength(times));
    },
    end: (result: string) => child.stdin!.write(`${result}\n`),
  };
}

describe('the end of a task, which its attempt records', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server', { WORKER_QUEUES: 'workflows' });
  });
  afterAll(() => world.close());

  /** Asks for a task; that its worker is lost is noticed within a second, and it is begun again at once. */
  async function ask(): Promise<string> {
    const { json } = await world.call('POST', '/tasks', { name: 'process_content', args: ['c', ['embed']] });
    const id = json.task_id as string;
    const execution = { workflowId: taskWorkflowId(id) };
    const activityId = await eventually(async () => {
      const { raw } = await world.client.workflow.getHandle(execution.workflowId).describe();
      const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'runTask');
      if (!pending?.activityId) throw new Error('the work is not scheduled');
      return pending.activityId;
    });
    await world.client.workflowService.updateActivityOptions({
      namespace: world.namespace,
      execution,
      id: activityId,
      activityOptions: {
        heartbeatTimeout: { seconds: 4 as never },
        retryPolicy: { initialInterval: { nanos: 100_000_000 }, backoffCoefficient: 1 },
      },
      updateMask: { paths: ['heartbeat_timeout', 'retry_policy.initial_interval', 'retry_policy.backoff_coefficient'] },
    });
    return id;
  }

  /** A task that a worker is working at. */
  async function beginTask() {
    const id = await ask();
    const worker = await startWorker(world);
    await worker.hasBegun();
    return { id, worker };
  }

  const get = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;
  const inState = (id: string, state: object) => eventually(async () => expect(await get(id)).toMatchObject(state));
  const typesOf = async (id: string): Promise<string[]> =>
    (await world.call('GET', `/tasks/${id}/events`)).json.map((event: { event_type: string }) => event.event_type);
  const resultOf = (id: string) => world.client.workflow.getHandle(taskWorkflowId(id)).result();
  const IN_ORDER = ['task_queued', 'task_received', 'task_started', 'task_succeeded'];

  it('is two appends of the attempt, and needs nothing more of the workflow than to complete', async () => {
    const { id, worker } = await beginTask();
    worker.end('done');
    expect(await resultOf(id)).toBe('done');
    expect(await typesOf(id)).toEqual(IN_ORDER);
    const { events } = await world.client.workflow.getHandle(taskWorkflowId(id)).fetchHistory();
    const count = (type: number) => events?.filter(({ eventType }) => eventType === type).length;
    const WORKFLOW_TASK_COMPLETED = 7;
    const ACTIVITY_TASK_SCHEDULED = 10;
    expect([count(WORKFLOW_TASK_COMPLETED), count(ACTIVITY_TASK_SCHEDULED)]).toEqual([2, 1]);
  });

  it('stands where the worker was lost before Temporal heard of it: the work is not done again', async () => {
    const { id, worker: lost } = await beginTask();
    lost.temporal.freeze();
    lost.end('recorded');
    await inState(id, { status: 'SUCCESS', result: 'recorded' });
    const next = await startWorker(world);
    expect(await resultOf(id)).toBe('recorded');
    expect(next.begun).toBe(0);
    expect(await typesOf(id)).toEqual(IN_ORDER);
  });

  it('stands where the task is revoked before Temporal has heard of it', async () => {
    const { id, worker: lost } = await beginTask();
    lost.temporal.freeze();
    lost.end('recorded');
    await inState(id, { status: 'SUCCESS' });
    // The API would refuse, since the record says that it has ended; Temporal's own cancel does not know.
    await world.client.workflow.getHandle(taskWorkflowId(id)).cancel();
    expect(await resultOf(id)).toBe('recorded');
    expect(await get(id)).toMatchObject({ status: 'SUCCESS', result: 'recorded' });
    expect(await typesOf(id)).toEqual(IN_ORDER);
  });

  it('is not recorded by an attempt that was given up while another works', async () => {
    const { id, worker: lost } = await beginTask();
    lost.temporal.freeze();
    const next = await startWorker(world);
    await next.hasBegun();
    lost.end('too late');
    next.end('in time');
    expect(await resultOf(id)).toBe('in time');
    expect(await get(id)).toMatchObject({ result: 'in time' });
    expect((await typesOf(id)).filter((type) => type === 'task_started')).toHaveLength(2);
  });

  it('is that of one attempt where the database hangs before it begins, however long', async () => {
    const id = await ask();
    const owner = postgres(world.databaseUrl, { max: 1, onnotice: () => {} });
    const locked = Promise.withResolvers<void>();
    const thawed = Promise.withResolvers<void>();
    const hanging = owner.begin(async (tx) => {
      await tx`LOCK TABLE events IN ACCESS EXCLUSIVE MODE`;
      locked.resolve();
      await thawed.promise;
    });
    await locked.promise;
    const workers = [await startWorker(world), await startWorker(world)] as const;
    await eventually(async () => {
      const { raw } = await world.client.workflow.getHandle(taskWorkflowId(id)).describe();
      const { attempt, state, lastHeartbeatTime, lastStartedTime } = raw.pendingActivities![0]!;
      const seconds = Number(lastHeartbeatTime?.seconds ?? 0) - Number(lastStartedTime?.seconds ?? 0);
      // Past the heartbeat timeout: either there are heartbeats, or the other worker has it as well.
      expect((attempt === 2 && state === STARTED) || seconds > 4).toBe(true);
    });
    thawed.resolve();
    await hanging;
    await eventually(async () => {
      expect(workers[0].begun + workers[1].begun).toBeGreaterThan(0);
      const waiting =
        await owner`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      expect(waiting).toHaveLength(0);
    });
    await owner.end();
    expect(await typesOf(id)).toEqual(IN_ORDER.slice(0, 3));
    for (const worker of workers) worker.end('done');
    expect(await resultOf(id)).toBe('done');
    expect(workers[0].begun + workers[1].begun).toBe(1);
    expect(await typesOf(id)).toEqual(IN_ORDER);
  });

  it('is recorded by the workflow where the attempt cannot: the work is not done again', async () => {
    const { id, worker } = await beginTask();
    worker.database.freeze();
    worker.end('kept');
    expect(await resultOf(id)).toBe('kept');
    expect(worker.begun).toBe(1);
    expect(await get(id)).toMatchObject({ status: 'SUCCESS', result: 'kept' });
    expect(await typesOf(id)).toEqual(IN_ORDER);
  });

  it('is recorded with all that the record lost while the attempt worked', async () => {
    const { id, worker } = await beginTask();
    const owner = postgres(world.databaseUrl, { max: 1, onnotice: () => {} });
    await owner.begin(async (tx) => {
      await tx`ALTER TABLE events DISABLE TRIGGER ALL`;
      await tx`DELETE FROM events WHERE stream = ${`task:${id}`}`;
      await tx`DELETE FROM tasks WHERE id = ${id}`;
      await tx`ALTER TABLE events ENABLE TRIGGER ALL`;
    });
    await owner.end();
    worker.end('kept');
    expect(await resultOf(id)).toBe('kept');
    expect(worker.begun).toBe(1);
    expect(await get(id)).toMatchObject({ status: 'SUCCESS', result: 'kept' });
    expect(await typesOf(id)).toEqual(['task_queued', 'task_recovered', ...IN_ORDER.slice(1)]);
  });

  it('comes also for a task that its API could not record, and whose queue nobody serves yet', async () => {
    const id = 'accepted-only';
    const input: TaskInput = {
      ...{ task_id: id, workflow_id: taskWorkflowId(id), fingerprint: 'f', caller: 'test', door: 'http' },
      ...{ name: 'process_content', queue: 'content', args: ['c', ['embed']], kwargs: {}, priority: null },
      ...{ eta: null, expires: null, soft_limit_ms: null, hard_limit_ms: null, root_id: null, parent_id: null },
      created_at: new Date().toISOString(),
      policy: { max_retries: 3, retry_delay_ms: 1_000, soft_limit_ms: 300_000, hard_limit_ms: 600_000 },
    };
    await world.client.workflow.start(TASK_WORKFLOW, {
      ...{ workflowId: input.workflow_id, taskQueue: WORKFLOW_TASK_QUEUE, args: [input] },
      memo: { task_id: id, fingerprint: 'f' },
    });
    await eventually(async () => {
      const { lines } = await reconcileWorld(world);
      expect(lines.filter((line) => line.startsWith(`task:${id} `))).toHaveLength(1);
    });
    await inState(id, { status: 'PENDING', received_at: null });
    expect(await typesOf(id)).toEqual(['task_queued']);
    const worker = await startWorker(world);
    await worker.hasBegun();
    worker.end('done');
    expect(await resultOf(id)).toBe('done');
    expect(await typesOf(id)).toEqual(IN_ORDER);
  });
});
