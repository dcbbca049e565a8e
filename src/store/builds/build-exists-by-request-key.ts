import type { Db } from '../database.ts';

/** Says whether a build was requested under any of these keys. */
export async function anyBuildWasRequested(db: Db, keys: readonly string[]): Promise<boolean> {
  if (keys.length === 0) return false;
  const found = await db`SELECT FROM builds WHERE request_key IN ${db([...keys])} LIMIT 1`;
  return found.length > 0;
}
