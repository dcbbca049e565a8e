import type { Client } from '@temporalio/client';
import { type TaskRuntime, taskQueueOf, WORKFLOW_QUEUE } from '../../contracts/tasks/task-queues.ts';
import { ROLL_CALL_TASK_QUEUE } from '../../contracts/tasks/worker-control.ts';
import { describeTaskQueue, orUnavailable, type PollKind } from './describe-task-queue.ts';

/** A worker that polled Temporal for work within the last minutes. */
export interface Poller {
  identity: string;
  lastSeenAt: Date;
}

/** An idle worker polls again after a minute, so one that was not seen for longer than this is gone. */
const POLLS_WITHIN_MS = 90_000;

/** Says whether a worker still polls for work. */
export function isPolling({ lastSeenAt }: Pick<Poller, 'lastSeenAt'>): boolean {
  return Date.now() - lastSeenAt.getTime() < POLLS_WITHIN_MS;
}

/**
 * Lists who polls for the work of a queue, by identity. For the queue of workflows it asks about both kinds of polls, since
 * a worker may be stuck in one. Temporal forgets a poller five minutes after its last poll.
 * @param runtimes of the tasks in the queue: Python has separate task queues.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function listPollers(
  client: Client,
  queue: string,
  runtimes: ReadonlySet<TaskRuntime> = OURS,
): Promise<Poller[]> {
  const kinds: PollKind[] = queue === WORKFLOW_QUEUE ? ['workflow', 'activity'] : ['activity'];
  const taskQueues = new Set([...runtimes].map((runtime) => taskQueueOf(queue, runtime)));
  return latest(await Promise.all([...taskQueues].map((taskQueue) => pollersOf(client, taskQueue, kinds))));
}

const OURS: ReadonlySet<TaskRuntime> = new Set(['built-in']);

/**
 * Lists all worker processes, even those that are too busy to poll for work or serve no queue.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export function listWorkerProcesses(client: Client): Promise<Poller[]> {
  return pollersOf(client, ROLL_CALL_TASK_QUEUE, ['activity']);
}

async function pollersOf(client: Client, taskQueue: string, kinds: PollKind[]): Promise<Poller[]> {
  const answers = await orUnavailable(Promise.all(kinds.map((kind) => describeTaskQueue(client, taskQueue, kind))));
  return latest(
    answers.map(({ pollers }) =>
      (pollers ?? []).flatMap(({ identity, lastAccessTime }) => {
        const at = Number(lastAccessTime?.seconds ?? 0) * 1_000 + Math.floor((lastAccessTime?.nanos ?? 0) / 1e6);
        return identity ? [{ identity, lastSeenAt: new Date(at) }] : [];
      }),
    ),
  );
}

/** Returns pollers by identity, each as it was last seen. */
function latest(seen: readonly Poller[][]): Poller[] {
  const last = new Map<string, Poller>();
  for (const poller of seen.flat()) {
    const known = last.get(poller.identity);
    if (!known || known.lastSeenAt < poller.lastSeenAt) last.set(poller.identity, poller);
  }
  return [...last.values()].sort((a, b) => (a.identity < b.identity ? -1 : 1));
}
