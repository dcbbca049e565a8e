import { lt } from 'drizzle-orm';
import type { Db } from './database.ts';
import { deliveries } from './schema.ts';

/** GitHub redelivers for three days; twice that is remembered. */
const REMEMBERED_MS = 6 * 86_400_000;

/** Takes a delivery for good; false where it was taken before. */
export async function takeDelivery(db: Db, id: string): Promise<boolean> {
  const now = Date.now();
  const taken = await db
    .insert(deliveries)
    .values({ id, received_at: new Date(now).toISOString() })
    .onConflictDoNothing()
    .returning();
  // Now and then one delivery pays for forgetting the old ones.
  if (Math.random() < 0.01)
    await db.delete(deliveries).where(lt(deliveries.received_at, new Date(now - REMEMBERED_MS).toISOString()));
  return taken.length > 0;
}
