import { FIRST_TARGET } from '../../contracts/endings/callback-workflow.ts';
import type { Db } from '../database.ts';

/** Finds the URL of a target of a stream, by default the first; undefined if there is none. */
export async function findCallbackUrl(db: Db, stream: string, target = FIRST_TARGET): Promise<string | undefined> {
  const [row] = await db<Array<{ url: string }>>`
    SELECT url FROM callback_targets WHERE stream = ${stream} AND target = ${target}`;
  return row?.url;
}
