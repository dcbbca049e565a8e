import type { Subscription } from '../../domain/subscriptions/subscription.ts';
import type { Db, Fragment } from '../database.ts';
import type { Progress } from './subscription-delivery.ts';

/** A subscription and its progress, without anything that may be secret. */
export type FollowedSubscription = Subscription & Progress;

/** Returns the columns of a {@link FollowedSubscription}. */
export const followed = (db: Db): Fragment => db`
  subscriptions.id, status, workflow_id, name, url_origin, format, filter, header_names, reason, created_by, created_at,
  position, pending, delivered, given_up, delivered_at, failing_since, last_failure
  FROM subscriptions JOIN subscription_deliveries USING (id)`;

/** Finds a subscription that is not deleted. */
export async function findSubscription(db: Db, id: string): Promise<FollowedSubscription | undefined> {
  const [row] = await db<FollowedSubscription[]>`SELECT ${followed(db)} WHERE subscriptions.id = ${id}`;
  return row;
}
