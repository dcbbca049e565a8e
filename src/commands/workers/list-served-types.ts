import type { Client } from '@temporalio/client';
import { taskQueueOf } from '../../contracts/tasks/task-queues.ts';
import type { ServedTaskType, TaskType } from '../../contracts/tasks/task-type.ts';
import { isPolling, listPollers } from './list-pollers.ts';

/** Task types with the workers that polled for their tasks lately. @throws {Refusal} where Temporal cannot be reached. */
export async function withPollers(client: Client, types: readonly TaskType[]): Promise<ServedTaskType[]> {
  const asked = new Map<string, Promise<ServedTaskType['served_by']>>();
  const servedBy = ({ queue, runtime }: TaskType) => {
    const taskQueue = taskQueueOf(queue, runtime);
    const known = asked.get(taskQueue);
    if (known) return known;
    const asking = listPollers(client, queue, new Set([runtime])).then((pollers) =>
      pollers
        .filter(isPolling)
        .map(({ identity, lastSeenAt }) => ({ identity, last_seen_at: lastSeenAt.toISOString() })),
    );
    asked.set(taskQueue, asking);
    return asking;
  };
  return Promise.all(types.map(async (type) => ({ ...type, served_by: await servedBy(type) })));
}
