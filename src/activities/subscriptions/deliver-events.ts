import { Context } from '@temporalio/activity';
import type { CallbackSender } from '../../integrations/callback-sender.ts';
import type { Db } from '../../store/database.ts';
import { findInstallation } from '../../store/installation/installation-find.ts';
import { EventFeed } from '../../store/record/event-feed.ts';
import { findSubscriptionDelivery } from '../../store/subscriptions/subscription-delivery-find.ts';
import { findSubscription } from '../../store/subscriptions/subscription-find.ts';
import type { SubscriptionPort } from '../../workflows/ports/subscription.ts';
import { Delivering } from './delivering.ts';
import { Subjects } from './subjects.ts';
import { Versions } from './versions.ts';

const HEARTBEAT_MS = 4_000;

/**
 * Returns the activity that delivers events to the receivers of subscriptions, until `stopping`. One feed serves all
 * subscriptions of a process.
 */
export function subscriptionActivities(db: Db, sender: CallbackSender, stopping: AbortSignal): SubscriptionPort {
  const shared = { db, sender, feed: new EventFeed(db), subjects: new Subjects(db), versions: new Versions(db) };
  return {
    async deliverEvents({ id }) {
      const activity = Context.current();
      const beat = setInterval(() => activity.heartbeat(), HEARTBEAT_MS);
      const leave = shared.feed.listen();
      const unwatch = shared.versions.watch();
      try {
        const readAt = performance.now();
        // The version is read first. If a change comes between the two, the version is that of before, so the change is noticed.
        const delivery = await findSubscriptionDelivery(db, id);
        const subscription = await findSubscription(db, id);
        if (!delivery || subscription?.status !== 'active') return null;
        const source = `urn:hapax:${(await findInstallation(db)).id}`;
        const delivering = new Delivering(shared, { subscription, delivery, readAt, source });
        return await delivering.run(AbortSignal.any([stopping, activity.cancellationSignal]));
      } finally {
        clearInterval(beat);
        leave();
        unwatch();
      }
    },
  };
}
