import type { AnnouncedRun } from '../../contracts/github/github.ts';
import type { Db } from '../database.ts';

/**
 * Records a delivery and claims its work for this long; returns false if the work is done, or another process has claimed
 * it. If it is not settled by then, {@link claimPendingDeliveries} takes it over.
 */
export async function claimDelivery(db: Db, id: string, run: AnnouncedRun, forMs: number): Promise<boolean> {
  const until = db`clock_timestamp() + ${forMs}::float8 * interval '1 millisecond'`;
  const claimed = await db`
    INSERT INTO deliveries (id, received_at, settled, run, claimed_until, due_at)
    VALUES (${id}, ${new Date().toISOString()}, false, ${JSON.stringify(run)}::jsonb, ${until}, ${until})
    ON CONFLICT (id) DO UPDATE SET claimed_until = excluded.claimed_until, due_at = excluded.due_at
    WHERE NOT deliveries.settled AND deliveries.claimed_until <= clock_timestamp()
    RETURNING id`;
  return claimed.length > 0;
}
