import type { Db } from './database.ts';

/** Deletes rows whose retention time is over. */
export async function deleteExpired(db: Db): Promise<void> {
  // GitHub redelivers for three days.
  await db`DELETE FROM deliveries WHERE received_at < now() - interval '6 days'`;
  // Tasks may be repeated for this long.
  await db`DELETE FROM quota_calls WHERE reserved_at < now() - interval '7 days'`;
  // Only steps of ended tasks, once a redrive is unlikely.
  await db`
    DELETE FROM task_steps USING tasks
    WHERE tasks.id = task_id AND done_at < now() - interval '30 days' AND completed_at < now() - interval '30 days'`;
  // No client waits longer for a reply. But a task may wait for its eta or in a paused queue, and others follow it.
  await db`
    DELETE FROM owed WHERE kept_at < now() - interval '30 days' AND NOT EXISTS (
      SELECT FROM tasks
      WHERE tasks.id = task_id AND (completed_at IS NULL OR completed_at >= now() - interval '30 days'))`;
  // A member of the chord may wait too, or a task that a member follows.
  await db`
    DELETE FROM chord_parts WHERE kept_at < now() - interval '30 days' AND group_id NOT IN (
      SELECT named #>> '{}' FROM tasks JOIN owed ON task_id = tasks.id, jsonb_path_query(details, '$.**.group_id') AS named
      WHERE completed_at IS NULL AND named #>> '{}' IS NOT NULL)`;
  // Nobody asks for more (LIMITS.history).
  await db`DELETE FROM queue_samples WHERE taken_at < now() - interval '30 days'`;
  // They have expired.
  await db`DELETE FROM console_sessions WHERE expires_at < now()`;
  // RabbitMQ delivers none of these again.
  await db`DELETE FROM unnamed_messages WHERE taken_at < now() - interval '30 days'`;
}
