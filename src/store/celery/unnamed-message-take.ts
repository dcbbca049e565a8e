import type { Db } from '../database.ts';

/** A message without a task id, identified by its content. */
export interface UnnamedMessage {
  fingerprint: string;
  redelivered: boolean;
  /** The id that its task gets if the message is new. */
  taskId: string;
}

/**
 * Returns the task id for a message that has none. An equal message within the window gets the same task, as a trigger without
 * an Idempotency-Key gets the same build. A later one gets a new task, unless it is a redelivery that was never settled.
 */
export async function takeUnnamedMessage(
  db: Db,
  { fingerprint, redelivered, taskId }: UnnamedMessage,
  windowMs: number,
): Promise<string> {
  const now = Date.now();
  const at = new Date(now).toISOString();
  const stale = new Date(now - windowMs).toISOString();
  const isNew = db`unnamed_messages.taken_at < ${stale} AND (unnamed_messages.settled OR NOT ${redelivered}::boolean)`;
  const [row] = await db<Array<{ task_id: string }>>`
    INSERT INTO unnamed_messages ${db({ fingerprint, task_id: taskId, taken_at: at, settled: false })}
    ON CONFLICT (fingerprint) DO UPDATE SET
      task_id = CASE WHEN ${isNew} THEN excluded.task_id ELSE unnamed_messages.task_id END,
      taken_at = CASE WHEN ${isNew} THEN excluded.taken_at ELSE unnamed_messages.taken_at END,
      settled = false
    RETURNING task_id`;
  return row!.task_id;
}
