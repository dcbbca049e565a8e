import { type SubscriptionEvent, subscriptionEventData } from '../../contracts/subscriptions/subscription-event.ts';
import { evolveSubscription, type Subscription } from '../../domain/subscriptions/subscription.ts';
import { rowOfState, stateOfRow } from '../record/state-row.ts';
import type { StreamKind } from '../record/stream-kind.ts';

/** Subscriptions: streams `subscription:<id>`, projected into the table `subscriptions`. */
export const SUBSCRIPTIONS: StreamKind<Subscription, SubscriptionEvent> = {
  name: 'subscription',
  first: 'subscription_created',
  data: subscriptionEventData,
  evolve: evolveSubscription,
  table: 'subscriptions',
  rowOf: rowOfState,
  stateOf: stateOfRow,
};
