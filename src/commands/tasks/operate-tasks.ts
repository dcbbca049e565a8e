import { OPEN_TASK_STATUSES, type TaskStatus } from '../../contracts/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import type { Db } from '../../store/database.ts';
import { listTasks, type TaskFilter } from '../../store/tasks/task-list.ts';
import { listTasksById } from '../../store/tasks/task-list-by-id.ts';
import { findFitting } from '../lifecycle/operate-many.ts';
import type { TaskDependencies } from './create-task.ts';
import { RETRYABLE_TASK_STATUSES, retryTask } from './retry-task.ts';
import { revokeTask } from './revoke-task.ts';

/** The operations for many tasks at once. */
export type ManyTasksOperation = 'retry' | 'revoke';

/** Tasks by their ids, or all that match a filter. */
export type ManyTasks = { ids: readonly string[] } | { filter: Omit<TaskFilter, 'limit' | 'after'> };

/** States in which a task can be retried or revoked. */
export const FITTING_STATUSES: Readonly<Record<ManyTasksOperation, readonly TaskStatus[]>> = {
  retry: RETRYABLE_TASK_STATUSES,
  revoke: OPEN_TASK_STATUSES,
};

/** Finds the tasks among these that an operation can change, newest first. */
export function fittingTasks(
  { db }: { db: Db },
  operation: ManyTasksOperation,
  which: ManyTasks,
  most?: number,
): Promise<{ items: ListedTask[]; more: boolean }> {
  const byIds = (ids: readonly string[]) => listTasksById(db, ids);
  const list = (filter: TaskFilter) => listTasks(db, filter);
  return findFitting(which, FITTING_STATUSES[operation], { byIds, list }, most);
}

/** Retries or revokes a task. @throws {Refusal} 404, 409 */
export function operateTask(deps: TaskDependencies, operation: ManyTasksOperation, id: string, by: string) {
  return operation === 'retry' ? retryTask(deps, id, by) : revokeTask(deps, id, { by, reason: 'terminated' });
}
