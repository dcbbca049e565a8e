import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import pino from 'pino';
import { readSettings } from '../src/contracts/settings.ts';
import { taskQueueOf, WORKFLOW_TASK_QUEUE } from '../src/contracts/tasks/task-queues.ts';
import { connectTemporal } from '../src/processes/temporal.ts';
import { installTemporalRuntime } from '../src/processes/temporal-runtime.ts';
import { closedLoop, type Round } from './closed-loop.ts';
import { serve } from './helper.ts';

/** The baseline of a task: what Temporal alone costs, client and workers in this process, on one connection. */
export type BareTasks =
  | { kind: 'open'; address: string; namespace: string; concurrency: number }
  /** Starts so many, and waits until all of them have been worked at: how many per second, and how long a start took. */
  | { kind: 'burst'; count: number; connections: number }
  /** One after the other, each until its result is there. */
  | { kind: 'sequence'; count: number };

const QUEUE = taskQueueOf('content');

let client: Client;
let worked = 0;

serve<BareTasks>(async (question) => {
  switch (question.kind) {
    case 'open':
      return open(question);
    case 'burst':
      return burst(question);
    case 'sequence':
      return sequence(question);
  }
});

async function open({ address, namespace, concurrency }: BareTasks & { kind: 'open' }): Promise<void> {
  installTemporalRuntime(pino({ level: 'error' }));
  const connected = await connectTemporal({ ...readSettings({ TEMPORAL_NAMESPACE: namespace }), address });
  const { connection } = connected;
  client = connected.client;
  const workflowsPath = fileURLToPath(new URL('bare-task-workflow.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const workers = [
    // With the limits of our own.
    await Worker.create({
      ...{ connection, namespace, workflowBundle, taskQueue: WORKFLOW_TASK_QUEUE },
      ...{ maxConcurrentWorkflowTaskExecutions: 40, maxConcurrentWorkflowTaskPolls: 5, maxCachedWorkflows: 300 },
    }),
    await Worker.create({
      ...{ connection, namespace, taskQueue: QUEUE, maxConcurrentActivityTaskExecutions: concurrency },
      maxConcurrentActivityTaskPolls: 2,
      activities: {
        async work() {
          worked += 1;
          return { result: { embed: 'completed' } };
        },
      },
    }),
  ];
  for (const worker of workers) void worker.run();
}

async function burst({ count, connections }: BareTasks & { kind: 'burst' }): Promise<Round> {
  const done = worked + count;
  const startedAt = performance.now();
  const starts = await closedLoop({ connections, until: { count } }, async () => void (await start()));
  while (worked < done) await new Promise((resolve) => setTimeout(resolve, 5));
  return { ...starts, perSecond: (count / (performance.now() - startedAt)) * 1_000 };
}

async function sequence({ count }: BareTasks & { kind: 'sequence' }): Promise<Round> {
  return closedLoop({ connections: 1, until: { count } }, async () => void (await (await start()).result()));
}

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const [TASK_ID, TASK_NAME, TASK_QUEUE, STATUS] = ['HapaxTaskId', 'HapaxTaskName', 'HapaxQueue', 'HapaxStatus'].map(
  keyword,
);

/** The start that the command makes, with an input of the same size. */
function start() {
  const id = randomUUID();
  const request = {
    ...{ task_id: id, workflow_id: `task-${id}`, fingerprint: 'f'.repeat(64), caller: 'anonymous', door: 'http' },
    ...{ name: 'process_content', args: ['no-op', ['embed']], kwargs: {}, priority: null, eta: null, expires: null },
    ...{ soft_limit_ms: null, hard_limit_ms: null, root_id: null, parent_id: null },
    created_at: new Date().toISOString(),
    policy: { max_retries: 3, retry_delay_ms: 1_000, soft_limit_ms: 300_000, hard_limit_ms: 600_000 },
  };
  return client.workflow.start('task', {
    workflowId: request.workflow_id,
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [{ queue: QUEUE, request }],
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    requestEagerStart: true,
    memo: { task_id: id, fingerprint: request.fingerprint },
    priority: { priorityKey: 3 },
    staticSummary: `task process_content ${id}`,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: TASK_ID!, value: id },
      { key: TASK_NAME!, value: 'process_content' },
      { key: TASK_QUEUE!, value: 'content' },
      { key: STATUS!, value: 'PENDING' },
    ]),
  });
}
