import type { Db } from '../database.ts';
import type { Destination } from './subscription-delivery.ts';

/** Saves where the events of a new subscription go. @param position in the log; the subscription begins after it. */
export async function addSubscriptionDelivery(
  db: Db,
  id: string,
  { url, secret, headers }: Destination,
  position: number,
): Promise<void> {
  const row = { id, url, secret, headers: JSON.stringify(headers), position };
  await db`INSERT INTO subscription_deliveries ${db(row)}`;
}
