import type { Db } from '../database.ts';

/** Saves the result of a comparison with Temporal, and deletes requests to GitHub that nobody will send again. */
export async function saveReconciliation(
  db: Db,
  { began_at, differences, unresolved }: { began_at: string; differences: number; unresolved: number },
): Promise<void> {
  await db`
    UPDATE installation SET reconciled_at = ${began_at}::timestamptz, differences = ${differences}::integer,
      unresolved = ${unresolved}::integer`;
  // Temporal keeps no workflow this long after its end.
  await db`DELETE FROM sent_requests WHERE claimed_at < clock_timestamp() - interval '90 days'`;
}
