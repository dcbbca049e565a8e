import type { Client } from '@temporalio/client';
import { taskQueueOf } from '../../contracts/tasks/task-queues.ts';
import type { ServedTaskType, TaskType } from '../../contracts/tasks/task-type.ts';
import type { TaskTypes } from '../tasks/task-types.ts';
import { isPolling, listPollers, type Poller } from './list-pollers.ts';

/**
 * Returns task types with the workers that serve them and recently polled for their tasks.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function withPollers(
  { client, taskTypes }: { client: Client; taskTypes: TaskTypes },
  types: readonly TaskType[],
): Promise<ServedTaskType[]> {
  const asked = new Map<string, Promise<Poller[]>>();
  const polling = ({ queue, runtime }: TaskType) => {
    const taskQueue = taskQueueOf(queue, runtime);
    const known = asked.get(taskQueue);
    if (known) return known;
    const asking = listPollers(client, queue, new Set([runtime])).then((pollers) => pollers.filter(isPolling));
    asked.set(taskQueue, asking);
    return asking;
  };
  return Promise.all(
    types.map(async (type) => ({
      ...type,
      served_by: (await polling(type))
        .filter(({ identity }) => taskTypes.isServedBy(type, identity))
        .map(({ identity, lastSeenAt }) => ({ identity, last_seen_at: lastSeenAt.toISOString() })),
    })),
  );
}
