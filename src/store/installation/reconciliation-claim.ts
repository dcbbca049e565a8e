import type { Db } from '../database.ts';

/** Claims the next comparison with Temporal; returns false if a process claimed one within this time. */
export async function claimReconciliation(db: Db, withinMs: number): Promise<boolean> {
  const claimed = await db`
    UPDATE installation SET claimed_at = clock_timestamp()
    WHERE claimed_at <= clock_timestamp() - ${withinMs}::float8 * interval '1 millisecond' RETURNING one`;
  return claimed.length > 0;
}
