import type { Client } from '@temporalio/client';
import type { Task } from '../../domain/tasks/task.ts';
import type { Db } from '../../store/database.ts';
import { listPausedQueues } from '../../store/tasks/queue-pause-list.ts';
import { isPolling, listPollers } from '../workers/list-pollers.ts';
import type { TaskTypes } from './task-types.ts';

/** A task that was accepted this recently is about to start. */
const A_MOMENT_MS = 2_000;

/** Says why a task has not started, for a person; null if nothing is known to be in its way. */
export async function whyWaiting(
  { db, client, taskTypes }: { db: Db; client: Client; taskTypes: TaskTypes },
  { name, queue, status, eta, created_at }: Pick<Task, 'name' | 'queue' | 'status' | 'eta' | 'created_at'>,
): Promise<string | null> {
  const now = Date.now();
  if (status !== 'PENDING' || now - Date.parse(created_at) < A_MOMENT_MS) return null;
  if (eta !== null && Date.parse(eta) > now) return null;
  try {
    const type = await taskTypes.find(name);
    if (!type) return `no worker has registered the task ${name} yet`;
    if ((await listPausedQueues(db)).some((pause) => pause.queue === queue)) return `the queue ${queue} is paused`;
    const polling = (await listPollers(client, queue, new Set([type.runtime]))).filter(isPolling);
    if (polling.length === 0) return `no worker asked for tasks of the queue ${queue} in the last 90 seconds`;
    const isServed = polling.some(({ identity }) => taskTypes.isServedBy(type, identity));
    return isServed ? null : `no worker of the queue ${queue} has the task ${name}`;
  } catch {
    // If this cannot be asked now, the task is shown without it.
    return null;
  }
}
