import { type SubscriptionEvent, subscriptionEventData } from '../../contracts/subscriptions/subscription-event.ts';
import type { ChainHead } from '../../domain/record/hash.ts';
import { evolveSubscription, type Subscription } from '../../domain/subscriptions/subscription.ts';
import type { StreamKind } from '../record/stream-kind.ts';

/** A row of the table `subscriptions`. */
export interface SubscriptionRow extends Subscription {
  last_seq: number;
  last_hash: string;
}

/** Subscriptions: streams `subscription:<id>`, projected into the table `subscriptions`. */
export const SUBSCRIPTIONS: StreamKind<Subscription, SubscriptionEvent> = {
  name: 'subscription',
  first: 'subscription_created',
  data: subscriptionEventData,
  evolve: evolveSubscription,
  table: 'subscriptions',
  rowOf: (subscription, head: ChainHead) => ({ ...subscription, last_seq: head.seq, last_hash: head.hash }),
  stateOf(row) {
    const { last_seq: _seq, last_hash: _hash, ...subscription } = row as SubscriptionRow;
    return subscription;
  },
};
