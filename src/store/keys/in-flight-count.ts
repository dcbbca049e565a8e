import type { Db } from '../database.ts';

/** Counts the builds or tasks of a caller that have not ended, up to `most`. */
export async function countInFlight(db: Db, table: 'builds' | 'tasks', caller: string, most: number): Promise<number> {
  const [row] = await db<Array<{ count: number }>>`
    SELECT count(*) FROM (
      SELECT FROM ${db(table)} WHERE completed_at IS NULL AND caller = ${caller} LIMIT ${most}) AS found`;
  return row!.count;
}
