import type { MessageFormat, SubscriptionEvent } from '../../contracts/subscriptions/subscription-event.ts';
import { IllegalEvent } from '../record/illegal-event.ts';

/** The current state of a subscription: the sum of its events. */
export interface Subscription {
  id: string;
  status: 'active' | 'disabled' | 'deleted';
  workflow_id: string;
  name: string;
  url_origin: string;
  format: MessageFormat;
  filter: Record<string, string[]>;
  header_names: string[];
  /** The reason why it is disabled. */
  reason: string | null;
  created_by: string;
  created_at: string;
}

/**
 * Returns the state after an event.
 * @throws {IllegalEvent} if the event cannot follow the state.
 */
export function evolveSubscription(subscription: Subscription | undefined, event: SubscriptionEvent): Subscription {
  if (event.type === 'subscription_created') {
    if (subscription) throw new IllegalEvent(`subscription ${subscription.id} exists already`);
    const { subscription_id: id, by: created_by, after: _, ...described } = event.data;
    return { id, ...described, status: 'active', reason: null, created_by, created_at: event.occurred_at };
  }
  if (!subscription) throw new IllegalEvent(`${event.type} cannot be the first event of a subscription`);
  if (subscription.status === 'deleted') throw new IllegalEvent(`subscription ${subscription.id} is deleted`);
  switch (event.type) {
    case 'subscription_changed': {
      const { by: _, ...described } = event.data;
      return { ...subscription, ...described };
    }
    case 'subscription_disabled':
      return { ...subscription, status: 'disabled', reason: event.data.reason };
    case 'subscription_enabled':
      return { ...subscription, status: 'active', reason: null };
    case 'subscription_deleted':
      return { ...subscription, status: 'deleted' };
    case 'subscription_replayed':
    case 'subscription_gave_up':
      return subscription;
    default:
      return event satisfies never;
  }
}
