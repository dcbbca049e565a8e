import type { Db } from '../database.ts';

/** Deletes the destination and progress of a subscription. */
export async function deleteSubscriptionDelivery(db: Db, id: string): Promise<void> {
  await db`DELETE FROM subscription_deliveries WHERE id = ${id}`;
}
