import type { Db } from '../database.ts';
import type { Delivery } from './subscription-delivery.ts';

/** Finds where the events of a subscription go, and how far they went; undefined if it is deleted. */
export async function findSubscriptionDelivery(db: Db, id: string): Promise<Delivery | undefined> {
  const [row] = await db<Delivery[]>`SELECT * FROM subscription_deliveries WHERE id = ${id}`;
  return row;
}
