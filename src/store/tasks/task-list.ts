import type { TaskListQuery } from '../../contracts/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import { allOf, type Db, type Fragment } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';

/** Which tasks a page is of. */
export type TaskFilter = Omit<TaskListQuery, 'cursor' | 'at'> & { after?: Cursor | undefined };

/** One page of tasks, newest first, without what may be a megabyte each. */
export async function listTasks(db: Db, filter: TaskFilter): Promise<Page<ListedTask>> {
  const { status, limit } = filter;
  const rows = await db<ListedTask[]>`
    SELECT id, status, workflow_id, fingerprint, caller, door, name, queue, priority, eta, expires, soft_limit_ms,
      hard_limit_ms, callback_origin, root_id, parent_id, attempts, retries, redrives, worker, error, dead_lettered, reason,
      created_at, received_at, started_at, retried_at, completed_at
    FROM tasks WHERE ${allOf(db, [status && db`status = ${status}`, matchesUnchangingOfTasks(db, filter)])}
    ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`;
  return pageOf(rows, limit);
}

/** The conditions of a filter on what never changes of a task, so that they hold at any time. */
export function matchesUnchangingOfTasks(db: Db, { name, queue, since, until, after }: TaskFilter): Fragment {
  return allOf(db, [
    name === undefined ? undefined : db`tasks.name = ${name}`,
    queue === undefined ? undefined : db`tasks.queue = ${queue}`,
    since === undefined ? undefined : db`tasks.created_at >= ${since}`,
    until === undefined ? undefined : db`tasks.created_at < ${until}`,
    after && db`(tasks.created_at, tasks.id) < (${after.created_at}, ${after.id})`,
  ]);
}
