import type { Db } from '../database.ts';

/**
 * Saves the result of a step, unless one is saved: the first counts.
 * @param result as JSON.
 * @returns the saved result.
 */
export async function saveTaskStep(db: Db, taskId: string, name: string, result: string): Promise<unknown> {
  const [row] = await db<Array<{ result: unknown }>>`
    INSERT INTO task_steps (task_id, name, result, done_at) VALUES (${taskId}, ${name}, ${result}::jsonb, now())
    ON CONFLICT (task_id, name) DO UPDATE SET result = task_steps.result
    RETURNING result`;
  return row!.result;
}
