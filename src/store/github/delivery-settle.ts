import type { Db } from '../database.ts';

/** Saves that the work of a delivery is done: from now on a redelivery changes nothing. */
export async function settleDelivery(db: Db, id: string): Promise<void> {
  await db`UPDATE deliveries SET settled = true, run = NULL WHERE id = ${id}`;
}
