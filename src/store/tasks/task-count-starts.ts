import { and, count, eq, sql } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { events } from '../schema.ts';
import { taskStream } from './task-stream.ts';

/** How often the work of a task was begun. @param prefix of the dedupe keys of the beginnings that count. */
export async function countTaskStarts(db: Db, taskId: string, prefix: string): Promise<number> {
  const [row] = await db
    .select({ times: count() })
    .from(events)
    .where(
      and(
        eq(events.stream, taskStream(taskId)),
        eq(events.type, 'task_started'),
        sql`starts_with(${events.dedupe_key}, ${prefix})`,
      ),
    );
  return row?.times ?? 0;
}
