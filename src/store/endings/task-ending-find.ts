import { and, desc, eq, inArray } from 'drizzle-orm';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { events } from '../schema.ts';
import { taskStream } from '../tasks/task-stream.ts';

const ENDINGS = ['task_succeeded', 'task_failed', 'task_revoked'];
const BEGUN_AGAIN = 'task_redriven';

/** The event that ended a task: the one with this dedupe key or, without a key, the last one. Undefined while the task has not ended. */
export async function findTaskEnding(db: Db, taskId: string, ending?: string): Promise<RecordedEvent | undefined> {
  const [event] = await db
    .select()
    .from(events)
    .where(
      and(
        eq(events.stream, taskStream(taskId)),
        ending === undefined
          ? inArray(events.type, [...ENDINGS, BEGUN_AGAIN])
          : and(inArray(events.type, ENDINGS), eq(events.dedupe_key, ending)),
      ),
    )
    .orderBy(desc(events.seq))
    .limit(1);
  return event?.type === BEGUN_AGAIN ? undefined : event;
}
