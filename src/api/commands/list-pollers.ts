import type { Client } from '@temporalio/client';
import { taskQueueOf, type WorkerQueueName } from '../../contracts/task-queues.ts';
import { ROLL_CALL_TASK_QUEUE } from '../../contracts/worker-control.ts';
import { ApiError } from '../problem.ts';

/** A worker that Temporal saw asking for work within the last minutes. */
export interface Poller {
  identity: string;
  lastSeenAt: Date;
}

/** What a worker polls for; of workflows both kinds, since a worker may be stuck with one. Temporal's TaskQueueType. */
const TASK_QUEUE_TYPES = { workflow: 1, activity: 2 } as const;
type PollKind = keyof typeof TASK_QUEUE_TYPES;

const TIMEOUT_MS = 2_500;

/**
 * Who polls for the work of a queue, by identity. Temporal forgets a poller five minutes after its last poll.
 * @throws {ApiError} where Temporal cannot be reached.
 */
export function listPollers(client: Client, queue: WorkerQueueName): Promise<Poller[]> {
  return pollersOf(client, taskQueueOf(queue), queue === 'workflows' ? ['workflow', 'activity'] : ['activity']);
}

/**
 * The worker processes there are, also those that are too busy to ask for work or serve no queue.
 * @throws {ApiError} where Temporal cannot be reached.
 */
export function callRoll(client: Client): Promise<Poller[]> {
  return pollersOf(client, ROLL_CALL_TASK_QUEUE, ['activity']);
}

async function pollersOf(client: Client, taskQueue: string, kinds: PollKind[]): Promise<Poller[]> {
  const asked = kinds.map((kind) => describePollers(client, taskQueue, kind));
  const answers = await Promise.all(asked).catch((cause: unknown) => {
    throw new ApiError('temporal_unavailable', { detail: 'try again', retryAfterSeconds: 5, cause });
  });
  const lastSeen = new Map<string, number>();
  for (const { identity, lastAccessTime } of answers.flat()) {
    const at = Number(lastAccessTime?.seconds ?? 0) * 1_000 + Math.floor((lastAccessTime?.nanos ?? 0) / 1e6);
    if (identity) lastSeen.set(identity, Math.max(at, lastSeen.get(identity) ?? 0));
  }
  return [...lastSeen]
    .map(([identity, at]) => ({ identity, lastSeenAt: new Date(at) }))
    .sort((a, b) => (a.identity < b.identity ? -1 : 1));
}

/** Temporal's own list of who polls for one kind of task. @throws what the call to Temporal throws. */
export async function describePollers(client: Client, taskQueue: string, kind: PollKind) {
  const { pollers } = await client.withDeadline(Date.now() + TIMEOUT_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: TASK_QUEUE_TYPES[kind],
    }),
  );
  return pollers ?? [];
}
