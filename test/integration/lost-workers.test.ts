import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import type { Settings } from '../../src/contracts/settings.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

const PROGRAM = join(import.meta.dirname, 'programs/dying-worker.ts');
const CUT_OFF = join(import.meta.dirname, 'programs/cut-off-worker.ts');

async function open(settings: Partial<Record<keyof Settings, string>>, handlers: Partial<TaskHandlers> = {}) {
  const world = await openWorld('server', settings, handlers);
  onTestFinished(() => world.close());
  return world;
}

/** Asks for a task, and lets Temporal notice within a second and not 15 that its worker is lost, and begin it again at once. */
async function ask(world: World, options: object = {}): Promise<string> {
  const { json } = await world.call('POST', '/tasks', { name: 'process_content', args: ['c', ['embed']], ...options });
  const execution = { workflowId: taskWorkflowId(json.task_id) };
  const activity = await eventually(async () => {
    const { raw } = await world.client.workflow.getHandle(execution.workflowId).describe();
    const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'runTask');
    if (!pending) throw new Error('the work is not scheduled');
    return pending;
  });
  await world.client.workflowService.updateActivityOptions({
    namespace: world.namespace,
    execution,
    id: activity.activityId ?? '',
    activityOptions: {
      heartbeatTimeout: { seconds: 1 as never },
      retryPolicy: { initialInterval: { nanos: 100_000_000 }, backoffCoefficient: 1 },
    },
    updateMask: { paths: ['heartbeat_timeout', 'retry_policy.initial_interval', 'retry_policy.backoff_coefficient'] },
  });
  return json.task_id;
}

const ended = (world: World, id: string) =>
  eventually(async () => {
    const { json } = await world.call('GET', `/tasks/${id}`);
    if (!json.completed_at) throw new Error(`task ${id} has not ended: ${JSON.stringify(json)}`);
    return json;
  }, 120_000);

describe('a task whose work is cut off', () => {
  it('takes five workers with it at most, and is a dead letter then', async () => {
    const world = await open({ WORKER_QUEUES: 'workflows' });
    const args = [PROGRAM, inject('temporalAddress'), world.namespace, world.databaseUrl];
    let worker: ChildProcess | undefined;
    let lost = 0;
    /** As Kubernetes does: another process for each that has ended. */
    const serve = () => {
      worker = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      worker.once('exit', () => {
        lost += 1;
        serve();
      });
    };
    onTestFinished(async () => {
      worker?.removeAllListeners('exit').kill('SIGKILL');
      if (worker?.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
    });
    const id = await ask(world);
    serve();
    expect(await ended(world, id)).toMatchObject({
      status: 'FAILURE',
      retries: 0,
      error: { type: 'WorkerLostError', message: 'Worker exited prematurely 5 times' },
    });
    expect(lost).toBe(5);
    await eventually(async () => expect((await world.call('GET', `/dlq/task:${id}`)).status).toBe(200));
  });

  it('does not expire once it has started, however late the next worker comes', async () => {
    const world = await open({ WORKER_QUEUES: 'workflows' });
    const args = [CUT_OFF, inject('temporalAddress'), world.namespace, world.databaseUrl];
    const serve = () => {
      const worker = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
      const kill = async () => {
        worker.kill('SIGKILL');
        if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
      };
      onTestFinished(kill);
      return { kill, begun: once(worker.stdout, 'data'), end: (result: string) => worker.stdin.write(`${result}\n`) };
    };
    const first = serve();
    await eventually(async () => {
      const { json } = await world.call('GET', '/queues');
      expect(json).toContainEqual(expect.objectContaining({ name: 'content', pollers: 1 }));
    });
    const id = await ask(world, { expires: 5 });
    await first.begun;
    await first.kill();
    await eventually(async () => {
      const { events } = await world.client.workflow.getHandle(taskWorkflowId(id)).fetchHistory();
      expect(
        events?.map(({ activityTaskTimedOutEventAttributes }) => activityTaskTimedOutEventAttributes),
      ).toContainEqual(expect.objectContaining({ failure: expect.anything() }));
    });
    const second = serve();
    void second.begun.then(() => second.end('done'));
    expect(await ended(world, id)).toMatchObject({ status: 'SUCCESS', result: 'done', retries: 0 });
    const { json } = await world.call('GET', `/tasks/${id}/events`);
    const workers = json
      .filter(({ event_type }: { event_type: string }) => event_type === 'task_started')
      .map(({ event_data }: { event_data: { worker: string } }) => event_data.worker);
    expect(new Set(workers).size).toBe(2);
  });

  it('goes on however often the database is away, which loses no worker', async () => {
    let times = 0;
    const world = await open(
      {},
      {
        async process_content() {
          times += 1;
          if (times > 7) return times;
          throw Object.assign(new Error('refused'), { code: 'CONNECTION_CLOSED' });
        },
      },
    );
    expect(await ended(world, await ask(world))).toMatchObject({ status: 'SUCCESS', result: 8, retries: 0 });
  });
});
