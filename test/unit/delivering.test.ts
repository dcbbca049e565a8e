import { expect, it } from 'vitest';
import { Delivering } from '../../src/activities/subscriptions/delivering.ts';
import { Subjects } from '../../src/activities/subscriptions/subjects.ts';
import { Versions } from '../../src/activities/subscriptions/versions.ts';
import { CallbackSender } from '../../src/integrations/callback-sender.ts';
import { openDatabase } from '../../src/store/database.ts';
import { EventFeed } from '../../src/store/record/event-feed.ts';
import type { PendingEvent } from '../../src/store/subscriptions/subscription-delivery.ts';
import type { FollowedSubscription } from '../../src/store/subscriptions/subscription-find.ts';

it('leaves the process to others while a receiver fails and no new event may be taken', async () => {
  // Nothing is due, so nothing is asked of the database, and it never connects.
  const { db, close } = openDatabase({ url: 'postgres://127.0.0.1:1/none' });
  const sender = new CallbackSender({ secrets: [], allowedHosts: ['127.0.0.1'] });
  const shared = { db, sender, feed: new EventFeed(db), subjects: new Subjects(db), versions: new Versions(db) };
  const failing_since = new Date().toISOString();
  // Below the pause that is left to the workflow.
  const next_at = new Date(Date.now() + 4_500).toISOString();
  const pending = [1, 2].map((position): PendingEvent => ({ position, attempts: 1, first_at: failing_since, next_at }));
  const progress = {
    ...{ position: 2, pending, delivered: 0, given_up: 0, delivered_at: null },
    ...{ failing_since, last_failure: 'it answered 500' },
  };
  const id = 'sub_1';
  const subscription: FollowedSubscription = {
    ...{ id, workflow_id: id, name: id, url_origin: 'http://127.0.0.1:1' },
    status: 'active',
    format: 'standard',
    ...{ filter: {}, header_names: [], reason: null, created_by: 'local', created_at: failing_since, ...progress },
  };
  const delivery = { id, version: 1, url: 'http://127.0.0.1:1/', secret: 'whsec_AAAA', headers: {}, ...progress };
  const delivering = new Delivering(shared, {
    subscription,
    delivery,
    readAt: performance.now(),
    source: 'urn:hapax:1',
  });

  const stop = new AbortController();
  const running = delivering.run(stop.signal);
  let ticks = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (++ticks < 10) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  expect(Date.now()).toBeLessThan(Date.parse(next_at));
  stop.abort();
  expect(await running).toEqual({ pause_ms: 0 });
  await close();
});
