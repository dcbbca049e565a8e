import type { Client } from '@temporalio/client';
import { QUEUE_NAMES, type QueueName } from '../../contracts/tasks/task-queues.ts';
import { isPolling, listPollers, listWorkerProcesses } from './list-pollers.ts';

/** A process that works now. */
export interface PresentWorker {
  identity: string;
  lastSeenAt: Date;
  /** What it asked for within the last 90 seconds: a busy one may ask for less than it serves. */
  queues: QueueName[];
}

/**
 * The processes that work now, with the queues that each asked for. One that was not seen for 90 seconds is gone, and left out.
 * @throws {Refusal} where Temporal cannot be reached.
 */
export async function listPresentWorkers(client: Client): Promise<PresentWorker[]> {
  const [present, served] = await Promise.all([
    listWorkerProcesses(client),
    Promise.all(QUEUE_NAMES.map(async (queue) => ({ queue, pollers: await listPollers(client, queue) }))),
  ]);
  const seen = new Map(present.filter(isPolling).map(({ identity, lastSeenAt }) => [identity, lastSeenAt]));
  // The bridge answers no roll call.
  for (const poller of served.flatMap(({ pollers }) => pollers).filter(isPolling)) {
    const known = seen.get(poller.identity);
    if (!known || known < poller.lastSeenAt) seen.set(poller.identity, poller.lastSeenAt);
  }
  return [...seen]
    .map(([identity, lastSeenAt]) => ({
      identity,
      lastSeenAt,
      queues: served
        .filter(({ pollers }) => pollers.some((poller) => poller.identity === identity && isPolling(poller)))
        .map(({ queue }) => queue),
    }))
    .sort((a, b) => (a.identity < b.identity ? -1 : 1));
}
