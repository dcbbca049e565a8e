import type { Task } from '../../domain/tasks/task.ts';
import { Refusal } from '../refusal.ts';
import type { TaskDependencies } from './create-task.ts';
import { redriveTask } from './redrive-task.ts';
import { existingTask } from './revoke-task.ts';

/** States in which a task can be started again with the same arguments. */
export const RETRYABLE_TASK_STATUSES: readonly Task['status'][] = ['FAILURE', 'REVOKED'];

/** Restarts a task that failed or was revoked, with new retries. @throws {Refusal} 404; 409 if it did neither */
export async function retryTask(
  deps: Pick<TaskDependencies, 'client' | 'workerBeside' | 'installation' | 'db' | 'taskPolicy' | 'taskTypes'>,
  id: string,
  by: string,
): Promise<Task> {
  const task = await existingTask(deps, id);
  if (!RETRYABLE_TASK_STATUSES.includes(task.status)) {
    const detail = `task ${id} is ${task.status}; only a task that failed or was revoked can be retried`;
    throw new Refusal('state_conflict', { detail });
  }
  if (!(await redriveTask(deps, task, by))) {
    throw new Refusal('state_conflict', { detail: `task ${id} is already being started again` });
  }
  return { ...task, status: 'PENDING' };
}
