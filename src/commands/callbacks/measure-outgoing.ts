import type { Client } from '@temporalio/client';
import { ANSWER_WORKFLOW } from '../../contracts/endings/answer-workflow.ts';
import { CALLBACK_WORKFLOW } from '../../contracts/endings/callback-workflow.ts';
import { TELLING_QUEUES, type TellingQueue, taskQueueOf } from '../../contracts/tasks/task-queues.ts';
import type { QueueMeasures } from '../../store/tasks/queue-measure.ts';
import { describeTaskQueue, orUnavailable } from '../workers/describe-task-queue.ts';

/** The workflows that send callbacks and replies, by their queue. */
const WORKFLOWS: Readonly<Record<TellingQueue, string>> = { callbacks: CALLBACK_WORKFLOW, bridge: ANSWER_WORKFLOW };

/**
 * Measures callbacks and replies that are under way: `depth` counts tries that no worker has taken yet, `inFlight` all that
 * have not arrived. Temporal knows them, the record does not; the counts are approximate.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export function measureOutgoing(client: Client): Promise<QueueMeasures[]> {
  return orUnavailable(Promise.all(TELLING_QUEUES.map((name) => measure(client, name))));
}

async function measure(client: Client, name: TellingQueue): Promise<QueueMeasures> {
  const [{ stats }, { count }] = await Promise.all([
    describeTaskQueue(client, taskQueueOf(name), 'activity'),
    client.workflow.count(`WorkflowType = '${WORKFLOWS[name]}' AND ExecutionStatus = 'Running'`),
  ]);
  const depth = Number(stats?.approximateBacklogCount ?? 0);
  const age = Number(stats?.approximateBacklogAge?.seconds ?? 0);
  return { name, depth, oldestAgeSeconds: depth === 0 ? null : age, inFlight: count };
}
