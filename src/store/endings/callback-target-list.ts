import type { Db } from '../database.ts';

/** Lists the targets to call about the endings of a stream. */
export async function listCallbackTargets(db: Db, stream: string): Promise<string[]> {
  const rows = await db<Array<{ target: string }>>`
    SELECT target FROM callback_targets WHERE stream = ${stream} ORDER BY target`;
  return rows.map(({ target }) => target);
}
