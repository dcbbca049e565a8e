import type { Db } from '../database.ts';

/** Returns the saved results of the steps of a task, by name. */
export async function findTaskSteps(db: Db, taskId: string): Promise<Map<string, unknown>> {
  const rows = await db<Array<{ name: string; result: unknown }>>`
    SELECT name, result FROM task_steps WHERE task_id = ${taskId}`;
  return new Map(rows.map(({ name, result }) => [name, result]));
}
