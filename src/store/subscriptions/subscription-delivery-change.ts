import type { Db } from '../database.ts';
import type { Destination } from './subscription-delivery.ts';

/** Changes where the events of a subscription go. Without a secret, the present one stays. Failed events are tried again at once. */
export async function changeSubscriptionDelivery(
  db: Db,
  id: string,
  { url, secret, headers }: Omit<Destination, 'secret'> & { secret: string | undefined },
): Promise<void> {
  await db`
    UPDATE subscription_deliveries SET url = ${url}, secret = coalesce(${secret ?? null}, secret), headers = ${JSON.stringify(headers)}::jsonb,
      version = version + 1 WHERE id = ${id}`;
  await resetSubscriptionDelivery(db, id);
}

/** Restarts a subscription: failed events are due now, and its time of failing counts from the next failure. */
export async function resetSubscriptionDelivery(db: Db, id: string): Promise<void> {
  const now = new Date().toISOString();
  await db`
    UPDATE subscription_deliveries SET version = version + 1, failing_since = NULL,
      pending = coalesce(
        (SELECT jsonb_agg(one || jsonb_build_object('attempts', 0, 'first_at', ${now}::text, 'next_at', ${now}::text) ORDER BY (one ->> 'position')::bigint)
          FROM jsonb_array_elements(pending) AS one), '[]')
    WHERE id = ${id}`;
}

/** Makes a subscription continue after another position in the log. */
export async function rewindSubscriptionDelivery(db: Db, id: string, position: number): Promise<void> {
  await db`
    UPDATE subscription_deliveries SET version = version + 1, position = ${position}, pending = '[]', failing_since = NULL
    WHERE id = ${id}`;
}
