import type { Db } from '../database.ts';

/** How many builds or tasks of a caller have not ended; counts no further than the most that is asked about. */
export async function countInFlight(db: Db, table: 'builds' | 'tasks', caller: string, most: number): Promise<number> {
  const [row] = await db<Array<{ count: number }>>`
    SELECT count(*) FROM (
      SELECT FROM ${db(table)} WHERE completed_at IS NULL AND caller = ${caller} LIMIT ${most}) AS found`;
  return row!.count;
}
