import type { Db } from './database.ts';

/** Deletes what is only kept for a time, and was kept for it. */
export async function deleteExpired(db: Db): Promise<void> {
  // GitHub redelivers for three days.
  await db`DELETE FROM deliveries WHERE received_at < now() - interval '6 days'`;
  // As long as a task may be repeated.
  await db`DELETE FROM quota_calls WHERE reserved_at < now() - interval '7 days'`;
  // Of tasks that have ended, as long as they are likely to be redriven.
  await db`
    DELETE FROM task_steps USING tasks
    WHERE tasks.id = task_id AND done_at < now() - interval '30 days' AND completed_at < now() - interval '30 days'`;
  // No task takes longer, and nobody waits longer for a reply.
  await db`DELETE FROM owed WHERE kept_at < now() - interval '30 days'`;
  await db`DELETE FROM chord_parts WHERE kept_at < now() - interval '30 days'`;
  // Nobody asks for more (LIMITS.history).
  await db`DELETE FROM queue_samples WHERE taken_at < now() - interval '30 days'`;
  // They let nobody in any more.
  await db`DELETE FROM console_sessions WHERE expires_at < now()`;
  // RabbitMQ delivers none of these again.
  await db`DELETE FROM unnamed_messages WHERE taken_at < now() - interval '30 days'`;
}
