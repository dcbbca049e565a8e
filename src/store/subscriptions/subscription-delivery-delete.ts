import type { Db } from '../database.ts';

/** Forgets where the events of a subscription go. */
export async function deleteSubscriptionDelivery(db: Db, id: string): Promise<void> {
  await db`DELETE FROM subscription_deliveries WHERE id = ${id}`;
}
