import { LIMITS } from '../../contracts/budgets.ts';
import { OPEN_TASK_STATUSES, type TaskStatus } from '../../contracts/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import type { Db } from '../../store/database.ts';
import { listTasks, type TaskFilter } from '../../store/tasks/task-list.ts';
import { listTasksById } from '../../store/tasks/task-list-by-id.ts';
import { type ManyOutcome, operateMany } from '../lifecycle/operate-many.ts';
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

/** Finds the tasks among these that an operation can change, newest first: at most `most`, and says whether more match. */
export async function fittingTasks(
  { db }: { db: Db },
  operation: ManyTasksOperation,
  which: ManyTasks,
  most: number = LIMITS.lists.operatedAtOnce,
): Promise<{ tasks: ListedTask[]; more: boolean }> {
  const statuses = FITTING_STATUSES[operation];
  if ('ids' in which) {
    const found = await listTasksById(db, which.ids.slice(0, LIMITS.lists.operatedAtOnce));
    const tasks = found.filter(({ status }) => statuses.includes(status));
    return { tasks: tasks.slice(0, most), more: tasks.length > most };
  }
  const { filter } = which;
  const asked = statuses.filter((status) => filter.status === undefined || filter.status === status);
  const pages = await Promise.all(asked.map((status) => listTasks(db, { ...filter, status, limit: most })));
  const tasks = pages.flatMap(({ items }) => items).toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
  return { tasks: tasks.slice(0, most), more: tasks.length > most || pages.some(({ end }) => end !== undefined) };
}

/** Retries or revokes a task. @throws {Refusal} 404, 409 */
export function operateTask(deps: TaskDependencies, operation: ManyTasksOperation, id: string, by: string) {
  return operation === 'retry' ? retryTask(deps, id, by) : revokeTask(deps, id, { by, reason: 'terminated' });
}

/** Retries or revokes tasks, for at most `withinMs`. @throws {Refusal} if Temporal or the database is away. */
export function operateTasks(
  deps: TaskDependencies,
  operation: ManyTasksOperation,
  tasks: ReadonlyArray<Pick<ListedTask, 'id'>>,
  by: string,
  withinMs: number,
): Promise<ManyOutcome<string>> {
  return operateMany(
    tasks.map(({ id }) => id),
    (id) => operateTask(deps, operation, id, by),
    withinMs,
  );
}
