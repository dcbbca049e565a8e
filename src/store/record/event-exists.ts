import type { Db } from '../database.ts';

/** Whether an event was told to a stream. */
export async function eventExists(db: Db, stream: string, dedupeKey: string): Promise<boolean> {
  const found = await db`SELECT FROM events WHERE stream = ${stream} AND dedupe_key = ${dedupeKey}`;
  return found.length > 0;
}
