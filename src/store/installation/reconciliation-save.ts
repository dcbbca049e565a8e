import type { Db } from '../database.ts';

/** The result of a comparison. */
export interface Reconciliation {
  began_at: string;
  differences: number;
  unresolved: number;
  reconciled_epoch: number;
}

/** Saves the result of a comparison with Temporal, and deletes requests to GitHub that nobody will send again. */
export async function saveReconciliation(
  db: Db,
  { began_at, differences, unresolved, reconciled_epoch }: Reconciliation,
): Promise<void> {
  await db`
    UPDATE installation SET reconciled_at = ${began_at}::timestamptz, differences = ${differences}::integer,
      unresolved = ${unresolved}::integer, reconciled_epoch = ${reconciled_epoch}::integer`;
  // Temporal keeps no workflow this long after its end.
  await db`DELETE FROM sent_requests WHERE claimed_at < clock_timestamp() - interval '90 days'`;
}
