import { lt, sql } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { unnamedMessages } from '../schema.ts';

/** A message without a task id, by what it says. */
export interface UnnamedMessage {
  fingerprint: string;
  redelivered: boolean;
  /** The id that its task gets where it is new. */
  taskId: string;
}

/** Nothing is delivered again after so long. */
const REMEMBERED_MS = 30 * 86_400_000;

/**
 * The task id for a message that carries none. An equal message within the window gets the same task, as a trigger without
 * an Idempotency-Key gets the same build; a later one gets a new task, unless it is an unsettled delivery come again.
 */
export async function takeUnnamedMessage(
  db: Db,
  { fingerprint, redelivered, taskId }: UnnamedMessage,
  windowMs: number,
): Promise<string> {
  const now = Date.now();
  const at = new Date(now).toISOString();
  const stale = new Date(now - windowMs).toISOString();
  const isNew = sql`${unnamedMessages.taken_at} < ${stale} AND (${unnamedMessages.settled} OR NOT ${redelivered}::boolean)`;
  const unless = (value: unknown, column: unknown) => sql`CASE WHEN ${isNew} THEN ${value} ELSE ${column} END`;
  const [row] = await db
    .insert(unnamedMessages)
    .values({ fingerprint, task_id: taskId, taken_at: at, settled: false })
    .onConflictDoUpdate({
      target: unnamedMessages.fingerprint,
      set: {
        task_id: unless(taskId, unnamedMessages.task_id),
        taken_at: unless(sql`${at}::timestamptz`, unnamedMessages.taken_at),
        settled: sql`FALSE`,
      },
    })
    .returning({ task_id: unnamedMessages.task_id });
  if (Math.random() < 0.001) {
    await db.delete(unnamedMessages).where(lt(unnamedMessages.taken_at, new Date(now - REMEMBERED_MS).toISOString()));
  }
  return row!.task_id;
}
