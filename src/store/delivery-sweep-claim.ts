import { sql } from 'drizzle-orm';
import type { Db } from './database.ts';

/**
 * Claims the next look for missed webhooks, if the last claim of any process is at least this long ago.
 * @returns from when on deliveries are to be looked at, ISO 8601: the time of the last look, less ten minutes for what was
 * under way then. Undefined if another process has claimed it.
 */
export async function claimDeliverySweep(db: Db, everyMs: number): Promise<string | undefined> {
  const every = sql`${everyMs}::float8 * interval '1 millisecond'`;
  const [row] = await db.execute<{ since_ms: number }>(sql`
    WITH before AS (SELECT swept_at FROM delivery_sweeps FOR UPDATE)
    UPDATE delivery_sweeps SET swept_at = clock_timestamp() FROM before
    WHERE before.swept_at <= clock_timestamp() - ${every}
    RETURNING (extract(epoch FROM before.swept_at - interval '10 minutes') * 1000)::float8 AS since_ms`);
  return row && new Date(Number(row.since_ms)).toISOString();
}
