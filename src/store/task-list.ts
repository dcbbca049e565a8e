import { and, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { TaskListQuery } from '../contracts/task.ts';
import type { Task } from '../domain/task.ts';
import type { Db } from './database.ts';
import { type Cursor, type Page, pageOf } from './page.ts';
import { tasks } from './schema.ts';
import { taskFromRow } from './task-row.ts';

/** Which tasks a page is of. */
export type TaskFilter = Omit<TaskListQuery, 'cursor' | 'at'> & { after?: Cursor | undefined };

/** One page of tasks, newest first. */
export async function listTasks(db: Db, filter: TaskFilter): Promise<Page<Task>> {
  const { status, limit } = filter;
  const rows = await db
    .select()
    .from(tasks)
    .where(and(status === undefined ? undefined : eq(tasks.status, status), matchesUnchangingOfTasks(filter)))
    .orderBy(desc(tasks.created_at), desc(tasks.id))
    .limit(limit + 1);
  return pageOf(rows.map(taskFromRow), limit);
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
