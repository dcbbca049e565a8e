import { eq } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { deliveries } from '../schema.ts';

/** Notes that the work of a delivery is done: from now on a redelivery changes nothing. */
export async function settleDelivery(db: Db, id: string): Promise<void> {
  await db.update(deliveries).set({ settled: true, run: null }).where(eq(deliveries.id, id));
}
