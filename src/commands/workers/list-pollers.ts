import type { Client } from '@temporalio/client';
import { type QueueName, taskQueueOf } from '../../contracts/tasks/task-queues.ts';
import { ROLL_CALL_TASK_QUEUE } from '../../contracts/tasks/worker-control.ts';
import { describeTaskQueue, orUnavailable, type PollKind } from './describe-task-queue.ts';

/** A worker that Temporal saw asking for work within the last minutes. */
export interface Poller {
  identity: string;
  lastSeenAt: Date;
}

/** An idle worker polls again after a minute, so one that was not seen for longer is gone. */
const POLLS_WITHIN_MS = 90_000;

/** Whether a worker still asks for work. */
export function isPolling({ lastSeenAt }: Pick<Poller, 'lastSeenAt'>): boolean {
  return Date.now() - lastSeenAt.getTime() < POLLS_WITHIN_MS;
}

/**
 * Who polls for the work of a queue, by identity; of workflows for both kinds, since a worker may be stuck with one. Temporal
 * forgets a poller five minutes after its last poll.
 * @throws {Refusal} where Temporal cannot be reached.
 */
export function listPollers(client: Client, queue: QueueName): Promise<Poller[]> {
  return pollersOf(client, taskQueueOf(queue), queue === 'workflows' ? ['workflow', 'activity'] : ['activity']);
}

/**
 * The worker processes there are, also those that are too busy to ask for work or serve no queue.
 * @throws {Refusal} where Temporal cannot be reached.
 */
export function listWorkerProcesses(client: Client): Promise<Poller[]> {
  return pollersOf(client, ROLL_CALL_TASK_QUEUE, ['activity']);
}

async function pollersOf(client: Client, taskQueue: string, kinds: PollKind[]): Promise<Poller[]> {
  const answers = await orUnavailable(Promise.all(kinds.map((kind) => describeTaskQueue(client, taskQueue, kind))));
  const lastSeen = new Map<string, number>();
  for (const { identity, lastAccessTime } of answers.flatMap(({ pollers }) => pollers ?? [])) {
    const at = Number(lastAccessTime?.seconds ?? 0) * 1_000 + Math.floor((lastAccessTime?.nanos ?? 0) / 1e6);
    if (identity) lastSeen.set(identity, Math.max(at, lastSeen.get(identity) ?? 0));
  }
  return [...lastSeen]
    .map(([identity, at]) => ({ identity, lastSeenAt: new Date(at) }))
    .sort((a, b) => (a.identity < b.identity ? -1 : 1));
}
