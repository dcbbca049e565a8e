import { and, desc, eq, getTableColumns, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { TaskListQuery } from '../../contracts/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import type { Db } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import { tasks } from '../schema.ts';

/** Which tasks a page is of. */
export type TaskFilter = Omit<TaskListQuery, 'cursor' | 'at'> & { after?: Cursor | undefined };

const {
  args: _args,
  kwargs: _kwargs,
  result: _result,
  last_seq: _seq,
  last_hash: _hash,
  ...LISTED
} = getTableColumns(tasks);

/** One page of tasks, newest first, without what may be a megabyte each. */
export async function listTasks(db: Db, filter: TaskFilter): Promise<Page<ListedTask>> {
  const { status, limit } = filter;
  const rows = await db
    .select(LISTED)
    .from(tasks)
    .where(and(status === undefined ? undefined : eq(tasks.status, status), matchesUnchangingOfTasks(filter)))
    .orderBy(desc(tasks.created_at), desc(tasks.id))
    .limit(limit + 1);
  return pageOf(rows, limit);
}

/** The conditions of a filter on what never changes of a task, so that they hold at any time. */
export function matchesUnchangingOfTasks({ name, queue, since, until, after }: TaskFilter): SQL | undefined {
  return and(
    name === undefined ? undefined : eq(tasks.name, name),
    queue === undefined ? undefined : eq(tasks.queue, queue),
    since === undefined ? undefined : gte(tasks.created_at, since),
    until === undefined ? undefined : lt(tasks.created_at, until),
    after && sql`(${tasks.created_at}, ${tasks.id}) < (${after.created_at}::timestamptz, ${after.id}::text)`,
  );
}
