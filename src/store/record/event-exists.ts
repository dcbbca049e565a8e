import type { Db } from '../database.ts';

/** Says whether a stream has an event with this dedupe key. */
export async function eventExists(db: Db, stream: string, dedupeKey: string): Promise<boolean> {
  const found = await db`SELECT FROM events WHERE stream = ${stream} AND dedupe_key = ${dedupeKey}`;
  return found.length > 0;
}
