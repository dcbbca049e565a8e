import type { SubscriptionView } from '../contracts/subscriptions/subscription.ts';
import type { FollowedSubscription } from '../store/subscriptions/subscription-find.ts';

/** Returns a subscription as the API shows it. */
export function subscriptionViewOf(subscription: FollowedSubscription): SubscriptionView {
  const { id, name, status, reason, url_origin, filter, format, header_names, created_at, created_by } = subscription;
  const { position, pending, delivered, given_up, delivered_at, failing_since, last_failure } = subscription;
  const next = pending.map(({ next_at }) => next_at).sort()[0] ?? null;
  return {
    ...{ id, name, status: status as SubscriptionView['status'], reason, url_origin, format, header_names, created_at },
    ...{
      filter: filter as SubscriptionView['filter'],
      created_by,
      position,
      pending: pending.length,
      delivered,
      given_up,
    },
    ...{ delivered_at, failing_since, last_failure, next_at: failing_since === null ? null : next },
  };
}
