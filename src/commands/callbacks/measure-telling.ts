import type { Client } from '@temporalio/client';
import { ANSWER_WORKFLOW } from '../../contracts/endings/answer-workflow.ts';
import { CALLBACK_WORKFLOW } from '../../contracts/endings/callback-workflow.ts';
import { TELLING_QUEUE_NAMES, type TellingQueueName, taskQueueOf } from '../../contracts/tasks/task-queues.ts';
import type { QueueMeasures } from '../../store/tasks/queue-measure.ts';
import { describeTaskQueue, orUnavailable } from '../workers/describe-task-queue.ts';

/** The workflows that tell of endings on a queue. */
const WORKFLOWS: Readonly<Record<TellingQueueName, string>> = { callbacks: CALLBACK_WORKFLOW, bridge: ANSWER_WORKFLOW };

/**
 * What waits to be told of endings: the tries that no worker has taken yet, and in flight all of which somebody has still to be
 * told. Temporal knows, and not the record; its counts are approximate.
 * @throws {Refusal} where Temporal cannot be reached.
 */
export function measureTelling(client: Client): Promise<QueueMeasures[]> {
  return orUnavailable(Promise.all(TELLING_QUEUE_NAMES.map((name) => measure(client, name))));
}

async function measure(client: Client, name: TellingQueueName): Promise<QueueMeasures> {
  const [{ stats }, { count }] = await Promise.all([
    describeTaskQueue(client, taskQueueOf(name), 'activity'),
    client.workflow.count(`WorkflowType = '${WORKFLOWS[name]}' AND ExecutionStatus = 'Running'`),
  ]);
  const depth = Number(stats?.approximateBacklogCount ?? 0);
  const age = Number(stats?.approximateBacklogAge?.seconds ?? 0);
  return { name, depth, oldestAgeSeconds: depth === 0 ? null : age, inFlight: count };
}
