import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeTaskQueue } from '../../src/commands/workers/describe-task-queue.ts';
import { taskQueueOf } from '../../src/contracts/tasks/task-queues.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('a queue that no worker serves', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(
      'server',
      { WORKER_QUEUES: 'workflows,content:2' },
      { process_content: async () => ({ embed: 'completed' }) },
    );
  });
  afterAll(() => world.close());

  const ask = async (body: object) => (await world.call('POST', '/tasks', body)).json.task_id as string;
  const get = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;

  it('keeps its tasks, shows them, and holds up no other queue', async () => {
    const waiting = await ask({ name: 'semantic_search', args: ['a'] });
    const done = await ask({ name: 'process_content', args: ['c', ['embed']] });
    await eventually(async () => expect((await get(done)).status).toBe('SUCCESS'));
    await eventually(async () =>
      expect(await get(waiting)).toMatchObject({
        status: 'PENDING',
        received_at: null,
        started_at: null,
      }),
    );
    const queues = (await world.call('GET', '/queues')).json;
    const queue = (name: string) => queues.find((one: { name: string }) => one.name === name);
    expect(queue('search')).toMatchObject({ depth: 1, in_flight: 0, pollers: 0 });
    expect(queue('content')).toMatchObject({ depth: 0, pollers: 1 });
    const workers = (await world.call('GET', '/workers')).json;
    expect(workers.map((worker: { queue: string }) => worker.queue)).toEqual(['workflows', 'content', 'callbacks']);
  });

  it('lets a task expire that none took in time, and one that is revoked go', async () => {
    const expired = await ask({ name: 'semantic_search', args: ['b'], expires: 0.4 });
    await eventually(async () => expect(await get(expired)).toMatchObject({ status: 'REVOKED', reason: 'expired' }));
    const routed = await ask({ name: 'process_content', args: ['c', ['embed']], queue: 'search' });
    await world.call('POST', `/tasks/${routed}/cancel`, {});
    await eventually(async () => expect(await get(routed)).toMatchObject({ status: 'REVOKED', worker: null }));
  });
});

describe('a worker that stops', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(
      'server',
      {},
      {
        async process_content(_, { progress, heartbeat, signal }) {
          if (progress) return progress;
          heartbeat({ half: 'done' });
          return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      },
    );
  });
  afterAll(() => world.close());

  it('hands its work over: another one goes on from the progress, and no retry is used up', async () => {
    const { json } = await world.call('POST', '/tasks', { name: 'process_content', args: ['c', ['embed']] });
    const path = `/tasks/${json.task_id}`;
    await eventually(async () => expect((await world.call('GET', path)).json.status).toBe('STARTED'));
    await world.stopWorker();
    expect((await world.call('GET', path)).json).toMatchObject({ status: 'STARTED', retries: 0 });
    await world.startWorker();
    await eventually(async () =>
      expect((await world.call('GET', path)).json).toMatchObject({
        status: 'SUCCESS',
        result: { half: 'done' },
        retries: 0,
      }),
    );
    const events = (await world.call('GET', `${path}/events`)).json;
    expect(events.map((event: { event_type: string }) => event.event_type)).toEqual([
      'task_queued',
      'task_received',
      'task_started',
      'task_started',
      'task_succeeded',
    ]);
  });
});

describe('a queue with one slot', () => {
  let world: World;
  const begun: string[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  beforeAll(async () => {
    world = await openWorld(
      'server',
      { WORKER_QUEUES: 'workflows,content:1' },
      {
        async process_content({ content_id }) {
          begun.push(content_id);
          if (content_id === 'busy') await released;
          return { embed: 'completed' };
        },
      },
    );
  });
  afterAll(() => world.close());

  it('begins with what has the highest priority, whatever was asked for first', async () => {
    const ask = (content_id: string, priority?: number) =>
      world.call('POST', '/tasks', { name: 'process_content', args: [content_id, ['embed']], priority });
    await ask('busy');
    await eventually(() => expect(begun).toEqual(['busy']));
    await ask('0', 0);
    await ask('4', 4);
    await ask('9', 9);
    await ask('2', 2);
    await ask('none, as 5');
    await ask('7', 7);
    await eventually(async () => {
      const { stats } = await describeTaskQueue(world.client, taskQueueOf('content'), 'activity');
      expect(Number(stats?.approximateBacklogCount)).toBe(6);
    });
    release();
    await eventually(() => expect(begun).toHaveLength(7));
    const order = begun.slice(1);
    // Temporal has five priorities, two of ours each: equal ones in the order in which they came.
    expect(order).toEqual(['9', '7', '4', 'none, as 5', '2', '0']);
  });
});
