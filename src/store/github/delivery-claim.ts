import { lt, sql } from 'drizzle-orm';
import type { AnnouncedRun } from '../../contracts/github/github.ts';
import type { Db } from '../database.ts';
import { deliveries } from '../schema.ts';

/** GitHub redelivers for three days; twice that is remembered. */
const REMEMBERED_MS = 6 * 86_400_000;

/**
 * Records a delivery and claims its work for so long; false where the work is done, or another process has claimed it. What is
 * not settled by then is taken over by {@link claimPendingDeliveries}.
 */
export async function claimDelivery(db: Db, id: string, run: AnnouncedRun, forMs: number): Promise<boolean> {
  const now = Date.now();
  const until = sql`clock_timestamp() + ${forMs}::float8 * interval '1 millisecond'`;
  const claimed = await db.execute(sql`
    INSERT INTO deliveries (id, received_at, settled, run, claimed_until, due_at)
    VALUES (${id}, ${new Date(now).toISOString()}, false, ${JSON.stringify(run)}::jsonb, ${until}, ${until})
    ON CONFLICT (id) DO UPDATE SET claimed_until = excluded.claimed_until, due_at = excluded.due_at
    WHERE NOT deliveries.settled AND deliveries.claimed_until <= clock_timestamp()
    RETURNING id`);
  // Now and then one delivery pays for forgetting the old ones.
  if (Math.random() < 0.01)
    await db.delete(deliveries).where(lt(deliveries.received_at, new Date(now - REMEMBERED_MS).toISOString()));
  return claimed.length > 0;
}
