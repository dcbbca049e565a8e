import type { Db } from '../database.ts';

/** Claims the next sweep of all content, if the last claim of any process is at least this long ago. */
export async function claimContentSweep(db: Db, everyMs: number): Promise<boolean> {
  const rows = await db`
    UPDATE content_sweeps SET swept_at = clock_timestamp()
    WHERE swept_at <= clock_timestamp() - ${everyMs}::float8 * interval '1 millisecond' RETURNING 1`;
  return rows.length > 0;
}
