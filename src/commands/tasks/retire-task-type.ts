import type { Client } from '@temporalio/client';
import type { Db } from '../../store/database.ts';
import { listSchedules } from '../../store/schedules/schedule-list.ts';
import { retireTaskType as retire } from '../../store/tasks/task-type-retire.ts';
import { notFound, Refusal } from '../refusal.ts';
import { isPolling, listPollers } from '../workers/list-pollers.ts';
import type { TaskTypes } from './task-types.ts';

/**
 * Retires a task type: it is no longer listed, and its tasks are no longer accepted, until a worker registers it again. Its
 * queue is deleted too, if nothing else uses it.
 * @throws {Refusal} 404 if it is not registered; 409 while a worker serves it, a task of it has not ended, or a schedule sends it.
 */
export async function retireTaskType(
  { db, client, taskTypes }: { db: Db; client: Client; taskTypes: TaskTypes },
  name: string,
): Promise<void> {
  await taskTypes.readAgain();
  const type = await taskTypes.find(name);
  if (!type) throw notFound(`task type ${name}`);
  if (type.runtime === 'built-in') throw refused(`${type.name} is a task of Hapax itself, and stays`);
  const polling = (await listPollers(client, type.queue, new Set([type.runtime]))).filter(isPolling);
  const serving = polling.filter(({ identity }) => taskTypes.isServedBy(type, identity));
  if (serving.length > 0) {
    const workers = serving.map(({ identity }) => identity).join(', ');
    throw refused(
      `${name} was served in the last 90 seconds by ${workers}; stop that or remove the task there, then try again`,
    );
  }
  const sending = (await listSchedules(db, { deleted: false })).find(
    ({ definition }) => definition.task?.name === name,
  );
  if (sending) throw refused(`the schedule ${sending.id} sends ${name}; change or delete it first`);
  const { queue, runtime } = type;
  if (!(await retire(db, name, polling.length === 0 ? { name: queue, runtime } : undefined))) {
    throw refused(
      `tasks of ${name} have not ended; revoke them, or start a worker that serves it (GET /tasks?name=${name})`,
    );
  }
  await taskTypes.readAgain();
}

const refused = (detail: string) => new Refusal('state_conflict', { detail });
