import type { Db } from '../database.ts';
import type { Progress } from './subscription-delivery.ts';

/**
 * Saves how far the events of a subscription went.
 * @param version of the subscription when the progress was made.
 * @returns false if the subscription was changed since; then nothing is saved.
 */
export async function saveSubscriptionProgress(
  db: Db,
  id: string,
  version: number,
  progress: Progress,
): Promise<boolean> {
  const { position, delivered, given_up, delivered_at, failing_since, last_failure } = progress;
  const { count } = await db`
    UPDATE subscription_deliveries SET position = ${position}, pending = ${JSON.stringify(progress.pending)}::jsonb,
      delivered = ${delivered}, given_up = ${given_up}, delivered_at = ${delivered_at}, failing_since = ${failing_since},
      last_failure = ${last_failure}
    WHERE id = ${id} AND version = ${version}`;
  return count === 1;
}
