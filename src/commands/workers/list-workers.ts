import type { Client } from '@temporalio/client';
import { TELLING_QUEUES, WORKFLOW_QUEUE } from '../../contracts/tasks/task-queues.ts';
import type { TaskTypes } from '../tasks/task-types.ts';
import { isPolling, listPollers, listWorkerProcesses, type Poller } from './list-pollers.ts';

/** A process that works now. */
export interface PresentWorker {
  identity: string;
  lastSeenAt: Date;
  /** What it polled for within the last 90 seconds. A busy one may poll for less than it serves. */
  queues: string[];
}

interface ServedQueue {
  queue: string;
  pollers: Poller[];
}

/**
 * Lists who polls for what: each known queue of tasks and, unless asked for `tasks` only, workflows, callbacks and replies.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function listServed(client: Client, taskTypes: TaskTypes, only?: 'tasks'): Promise<ServedQueue[]> {
  const queues = await taskTypes.queues();
  const all = only ? [...queues.keys()] : [WORKFLOW_QUEUE, ...queues.keys(), ...TELLING_QUEUES];
  return Promise.all(
    all.map(async (queue) => ({ queue, pollers: await listPollers(client, queue, queues.get(queue)) })),
  );
}

/**
 * Lists the processes that work now, with the queues that each polled for. Leaves out those not seen for 90 seconds: they are gone.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function listPresentWorkers(client: Client, taskTypes: TaskTypes): Promise<PresentWorker[]> {
  const [present, served] = await Promise.all([listWorkerProcesses(client), listServed(client, taskTypes)]);
  const seen = new Map(present.filter(isPolling).map(({ identity, lastSeenAt }) => [identity, lastSeenAt]));
  // The list of worker processes lacks the bridge.
  for (const poller of served.flatMap(({ pollers }) => pollers).filter(isPolling)) {
    const known = seen.get(poller.identity);
    if (!known || known < poller.lastSeenAt) seen.set(poller.identity, poller.lastSeenAt);
  }
  return [...seen]
    .map(([identity, lastSeenAt]) => ({ identity, lastSeenAt, queues: polledBy(identity, served) }))
    .sort((a, b) => (a.identity < b.identity ? -1 : 1));
}

/** Returns the queues that a worker polls for. */
export function polledBy(worker: string, served: readonly ServedQueue[]): string[] {
  return served
    .filter(({ pollers }) => pollers.some((poller) => poller.identity === worker && isPolling(poller)))
    .map(({ queue }) => queue);
}
