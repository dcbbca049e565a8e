import type { TaskListQuery } from '../../contracts/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import { allOf, type Db, type Fragment } from '../database.ts';
import { isIn, listPage, type Selection } from '../list-window.ts';
import type { Cursor, Page } from '../page.ts';

/** A filter for the tasks of a page. */
export type TaskFilter = Omit<TaskListQuery, 'cursor' | 'at' | 'count'> & {
  after?: Cursor | undefined;
  /** Only tasks of these queues. */
  within?: readonly string[] | undefined;
};

/** Lists one page of tasks, newest first, without the columns that may have a megabyte each. */
export function listTasks(db: Db, filter: TaskFilter): Promise<Page<ListedTask>> {
  return listPage<string, ListedTask>(db, 'tasks', listedTaskColumns(db), taskSelection(db, filter), filter.limit);
}

/** Returns the columns of a task that lists read. */
export function listedTaskColumns(db: Db): Fragment {
  return db`id, status, workflow_id, fingerprint, caller, door, name, queue, priority, eta, expires, soft_limit_ms,
    hard_limit_ms, callback_origin, root_id, parent_id, attempts, retries, redrives, worker, error, dead_lettered, reason,
    created_at, received_at, started_at, retried_at, completed_at, erased_at,
    type_version`;
}

/** Returns the conditions of a filter on fields of a task that never change, so that they hold at any time. */
export function matchesUnchangingOfTasks(
  db: Db,
  { name, queue, since, until, within, after }: Omit<TaskFilter, 'limit'>,
): Fragment {
  return allOf(db, [
    name === undefined ? undefined : db`tasks.name = ${name}`,
    queue === undefined ? undefined : db`tasks.queue = ${queue}`,
    within && db`tasks.queue IN (SELECT jsonb_array_elements_text(${JSON.stringify(within)}::jsonb))`,
    since === undefined ? undefined : db`tasks.created_at >= ${since}`,
    until === undefined ? undefined : db`tasks.created_at < ${until}`,
    after && db`(tasks.created_at, tasks.id) < (${after.created_at}, ${after.id})`,
  ]);
}

/** Returns the selection of tasks that a filter makes. */
export function taskSelection(db: Db, { after, ...filter }: Omit<TaskFilter, 'limit'>): Selection<string> {
  const { status, q } = filter;
  return {
    conditions: [status && hasStatus(db, status), matchesUnchangingOfTasks(db, filter)],
    text: q === undefined ? undefined : isIn(db, q, textOf(db)),
    after,
  };
}

/** Returns a condition that lets the database prove that an index applies, whatever plan it has cached for the statement. */
function hasStatus(db: Db, status: ListedTask['status']): Fragment {
  switch (status) {
    case 'PENDING':
    case 'STARTED':
    case 'RETRY':
      return db`status = ${status} AND completed_at IS NULL`;
    case 'FAILURE':
    case 'REVOKED':
      return db`status = ${status} AND status IN ('FAILURE', 'REVOKED')`;
    case 'SUCCESS':
      return db`status = ${status}`;
    default:
      return status satisfies never;
  }
}

/** Returns the text that a text search looks at. It has only small arguments and results: Postgres would have to unpack large ones. */
function textOf(db: Db): Fragment {
  const small = (column: string) => db`CASE WHEN pg_column_size(${db(column)}) <= 500 THEN ${db(column)} END`;
  return db`concat_ws(' ', id, name, caller, worker, reason, error ->> 'type', error ->> 'message', ${small('args')},
    ${small('kwargs')}, ${small('result')})`;
}
