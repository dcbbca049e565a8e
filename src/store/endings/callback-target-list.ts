import type { Db } from '../database.ts';

/** The targets that are told of the endings of a stream. */
export async function listCallbackTargets(db: Db, stream: string): Promise<string[]> {
  const rows = await db<Array<{ target: string }>>`
    SELECT target FROM callback_targets WHERE stream = ${stream} ORDER BY target`;
  return rows.map(({ target }) => target);
}
