import { sql } from 'drizzle-orm';
import type { Db } from '../database.ts';

/** How long it is remembered that a request to GitHub was sent. Temporal keeps no workflow this long after its end. */
const SENT_REQUESTS_KEPT = sql`interval '90 days'`;

/** Keeps what a comparison with Temporal found, and forgets requests to GitHub that nobody will send again. */
export async function saveReconciliation(
  db: Db,
  { began_at, differences, unresolved }: { began_at: string; differences: number; unresolved: number },
): Promise<void> {
  await db.execute(sql`
    UPDATE installation SET reconciled_at = ${began_at}::timestamptz, differences = ${differences}::integer,
      unresolved = ${unresolved}::integer`);
  await db.execute(sql`DELETE FROM sent_requests WHERE claimed_at < clock_timestamp() - ${SENT_REQUESTS_KEPT}`);
}
