import { and, desc, eq, gte, lt, sql } from 'drizzle-orm';
import type { TaskListQuery } from '../contracts/task.ts';
import type { Task } from '../domain/task.ts';
import type { Db } from './database.ts';
import { tasks } from './schema.ts';
import { taskFromRow } from './task-row.ts';

/** Where a page of tasks ends; the next begins after it. */
export interface TaskCursor {
  created_at: string;
  id: string;
}

export type TaskFilter = Omit<TaskListQuery, 'cursor'> & { after?: TaskCursor };

/** A page of tasks, newest first, and where it ends if there are more. */
export async function listTasks(
  db: Db,
  { status, name, queue, since, until, after, limit }: TaskFilter,
): Promise<{ tasks: Task[]; end: TaskCursor | undefined }> {
  const rows = await db
    .select()
    .from(tasks)
    .where(
      and(
        status === undefined ? undefined : eq(tasks.status, status),
        name === undefined ? undefined : eq(tasks.name, name),
        queue === undefined ? undefined : eq(tasks.queue, queue),
        since === undefined ? undefined : gte(tasks.created_at, since),
        until === undefined ? undefined : lt(tasks.created_at, until),
        after && sql`(${tasks.created_at}, ${tasks.id}) < (${after.created_at}::timestamptz, ${after.id}::text)`,
      ),
    )
    .orderBy(desc(tasks.created_at), desc(tasks.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit).map(taskFromRow);
  const last = page.at(-1);
  return { tasks: page, end: rows.length > limit && last ? { created_at: last.created_at, id: last.id } : undefined };
}
