import { asc, eq, sql } from 'drizzle-orm';
import type { RecordedEvent } from '../contracts/event.ts';
import type { Task } from '../domain/task.ts';
import type { Db } from './database.ts';
import { events, tasks } from './schema.ts';
import { taskFromRow } from './task-row.ts';

/** The task with this id. */
export async function findTask(db: Db, id: string): Promise<Task | undefined> {
  const [row] = await db.select().from(tasks).where(eq(tasks.id, id));
  return row && taskFromRow(row);
}

/** A task and all its events, as of one moment. Its limits bound how many there are. */
export async function findTaskWithEvents(
  db: Db,
  id: string,
): Promise<{ task: Task; events: RecordedEvent[] } | undefined> {
  const rows = await db
    .select({ task: tasks, event: events })
    .from(tasks)
    .innerJoin(events, sql`${events.stream} = 'task:' || ${tasks.id}`)
    .where(eq(tasks.id, id))
    .orderBy(asc(events.seq));
  const [first] = rows;
  return first && { task: taskFromRow(first.task), events: rows.map((row) => row.event) };
}
