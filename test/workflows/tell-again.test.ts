import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, inject, it, onTestFinished } from 'vitest';
import { TELL_AGAIN_SIGNAL } from '../../src/contracts/builds/build-workflow.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import type { TaskEvent } from '../../src/contracts/tasks/task-event.ts';
import { taskQueueOf } from '../../src/contracts/tasks/task-queues.ts';
import { TASK_WORKFLOW, type TaskInput, taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { taskPolicyOf } from '../../src/domain/tasks/task-request.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import type { taskRun } from '../../src/workflows/index.ts';
import type { RecordPort } from '../../src/workflows/ports/record.ts';
import type { TaskPort } from '../../src/workflows/ports/tasks.ts';
import { eventually } from '../world/eventually.ts';
import { openNamespace } from '../world/world.ts';
import '../world/temporal-runtime.ts';

it('records a task again that ends in the same step in which it hears that the record was set back', async () => {
  const namespace = await openNamespace();
  const address = inject('temporalAddress');
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  onTestFinished(async () => {
    await connection.close();
    await native.close();
  });
  /** The record after it was set back: it has nothing of the task. */
  const events: TaskEvent[] = [];
  const append: Pick<RecordPort, 'appendTaskEvent'> = {
    async appendTaskEvent({ event, follower }) {
      const isNew = !events.some(({ dedupe_key }) => dedupe_key === event.dedupe_key);
      if (isNew) events.push(event, ...(follower ? [follower] : []));
      return { stands: true, seq: events.length, repeated: !isNew };
    },
  };
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const work: TaskPort = {
    async runTask({ attempt, step }) {
      begun.resolve();
      await gate.promise;
      const occurred_at = new Date().toISOString();
      const started: TaskEvent = {
        ...{ type: 'task_started', data: { attempt, worker: 'w' }, occurred_at },
        dedupe_key: `${step}attempt:1:1:started`,
      };
      return { result: 'done', recorded: { begun: [started], ended_at: occurred_at, seq: 4, targets: [] } };
    },
  };
  const taskQueue = `workflows-${randomUUID()}`;
  const codePath = await workflowBundle();
  const run = async (options: Partial<Parameters<typeof Worker.create>[0]> & { taskQueue: string }) => {
    const worker = await Worker.create({ connection: native, namespace, ...options });
    const running = worker.run();
    return async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    };
  };
  const workflows = () => run({ taskQueue, workflowBundle: { codePath }, activities: append });
  const stopWork = await run({ taskQueue: taskQueueOf('content'), activities: work });
  onTestFinished(stopWork);

  const id = randomUUID();
  const input: TaskInput = {
    ...{ task_id: id, workflow_id: taskWorkflowId(id), fingerprint: 'f', caller: 'test', door: 'http' },
    ...{ name: 'process_content', queue: 'content', args: ['c', ['embed']], kwargs: {}, priority: null },
    ...{ eta: null, expires: null, soft_limit_ms: null, hard_limit_ms: null, root_id: null, parent_id: null },
    ...{ created_at: new Date().toISOString(), policy: taskPolicyOf(readSettings({})) },
  };
  const { workflow } = new Client({ connection, namespace });
  const options = { workflowId: input.workflow_id, taskQueue, args: [input] as [TaskInput] };
  const handle = await workflow.start<typeof taskRun>(TASK_WORKFLOW, options);
  const stopWorkflows = await workflows();
  await begun.promise;
  await stopWorkflows();
  await handle.signal(TELL_AGAIN_SIGNAL);
  gate.resolve();
  await eventually(async () => {
    const { events: history } = await handle.fetchHistory();
    expect(history?.some(({ activityTaskCompletedEventAttributes: done }) => done)).toBe(true);
  });
  onTestFinished(await workflows());
  expect(await handle.result()).toBe('done');
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['task_queued', 'task_started', 'task_succeeded']),
  );
});
