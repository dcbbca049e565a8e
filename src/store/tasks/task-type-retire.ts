import { type Db, inTransaction } from '../database.ts';
import { REGISTRATION_LOCK } from './task-type-register.ts';

/**
 * Hides a task type until a worker registers it again, unless a task of it has not ended. Its versions stay.
 * @param queue is deleted too, if no other type has it and no task in it waits; undefined keeps it.
 * @returns whether it is retired now.
 */
export function retireTaskType(db: Db, name: string, queue: { name: string; runtime: string } | undefined) {
  return inTransaction(db, async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${REGISTRATION_LOCK})`;
    const retired = await tx`
      UPDATE task_types SET retired_at = now(), registration = 1 + (SELECT max(registration) FROM task_types)
      WHERE (name, version) = (
          SELECT name, version FROM task_types WHERE name = ${name} ORDER BY registration DESC LIMIT 1
        ) AND NOT EXISTS (SELECT FROM tasks WHERE tasks.name = ${name} AND completed_at IS NULL)
      RETURNING name`;
    if (retired.length > 0 && queue) {
      await tx`
        DELETE FROM task_queues WHERE name = ${queue.name} AND runtime = ${queue.runtime}
          AND NOT EXISTS (SELECT FROM tasks WHERE tasks.queue = ${queue.name} AND completed_at IS NULL)
          AND NOT EXISTS (
            SELECT FROM (SELECT DISTINCT ON (name) * FROM task_types ORDER BY name, registration DESC) AS latest
            WHERE retired_at IS NULL AND runtime = ${queue.runtime} AND description->>'queue' = ${queue.name}
          )`;
    }
    return retired.length > 0;
  });
}
