import { NativeConnection } from '@temporalio/worker';
import { expect, inject, it, onTestFinished } from 'vitest';
import { builtInCode } from '../../src/activities/task-code.ts';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import { taskQueueOf } from '../../src/contracts/tasks/task-queues.ts';
import { createWorkers, type WorkersOptions } from '../../src/worker/workers.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld } from '../world/world.ts';

const ACTIVITIES = 2;

it('a queue that could not be opened is served at the next try', async () => {
  const world = await openWorld('server', { WORKER_QUEUES: 'workflows' });
  onTestFinished(() => world.close());
  const connect = () => NativeConnection.connect({ address: inject('temporalAddress') });
  const connection = await connect();
  const closed = await connect();
  await closed.close();
  const code = builtInCode({} as TaskHandlers);
  const size = { queues: new Map(), concurrency: 1, servesOthers: true, onShutdownOrder: undefined };
  // It serves neither workflows nor callbacks, so it needs nothing of theirs.
  const options = { connection, namespace: world.namespace, db: world.db, code, ...size } as unknown as WorkersOptions;
  const workers = await createWorkers(options);
  options.connection = closed;
  await expect(workers.serve('later')).rejects.toThrow();
  options.connection = connection;
  await workers.serve('later');
  const running = workers.run();
  onTestFinished(async () => {
    workers.shutdown();
    await running;
    await connection.close();
  });
  await eventually(async () => {
    const { pollers } = await world.client.workflowService.describeTaskQueue({
      namespace: world.namespace,
      taskQueue: { name: taskQueueOf('later') },
      taskQueueType: ACTIVITIES,
    });
    expect(pollers).toHaveLength(1);
  });
});
