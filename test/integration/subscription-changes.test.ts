import { type Client, ServiceError } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { subscriptionActivities } from '../../src/activities/subscriptions/deliver-events.ts';
import { createSubscription } from '../../src/commands/subscriptions/create-subscription.ts';
import {
  changeSubscription,
  disableSubscription,
  enableSubscription,
  replaySubscription,
} from '../../src/commands/subscriptions/operate-subscription.ts';
import type { SubscriptionDependencies } from '../../src/commands/subscriptions/subscription-dependencies.ts';
import { CallbackSender } from '../../src/integrations/callback-sender.ts';
import type { Db } from '../../src/store/database.ts';
import { findSubscriptionDelivery } from '../../src/store/subscriptions/subscription-delivery-find.ts';
import { findSubscription } from '../../src/store/subscriptions/subscription-find.ts';
import { eventually } from '../world/eventually.ts';
import { answers, openReceiver, type Receiver } from '../world/receiver.ts';
import { openTestDatabase } from '../world/world.ts';
import { tell } from './told-builds.ts';

const AWAY = new ServiceError('away', {
  cause: Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: '', metadata: {} }),
});
const newSecret = () => `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`;

/** A database that makes a change right before the statement of this kind with this number, also in its transactions. */
function changedBefore(db: Db, kind: RegExp, number: number, change: () => Promise<unknown>): Db {
  let statements = 0;
  const watched = (inner: Db): Db =>
    new Proxy(inner, {
      apply(target, self, values) {
        const query = Reflect.apply(target as never, self, values) as Promise<unknown>;
        const isMeant = Array.isArray(values[0]?.raw) && kind.test(values[0].join('?')) && ++statements === number;
        // A query runs once somebody waits for it.
        return isMeant ? change().then(() => query) : query;
      },
      get: (target, name) =>
        name === 'begin'
          ? (mode: string, work: (tx: Db) => Promise<unknown>) =>
              (target as Sql).begin(mode, (tx) => work(watched(tx as Db)))
          : Reflect.get(target, name),
    });
  return watched(db);
}

describe('a change of a subscription', () => {
  let world: Awaited<ReturnType<typeof openTestDatabase>>;
  let receiver: Receiver;
  let isAway: boolean;
  let woken: string[];
  let compared: number;
  let deps: SubscriptionDependencies;
  beforeAll(async () => {
    [world, receiver] = await Promise.all([openTestDatabase('server'), openReceiver()]);
  });
  afterAll(() => Promise.all([world.close(), receiver.close()]));
  beforeEach(() => {
    [isAway, woken, compared] = [false, [], 0];
    const signalWithStart = async (_type: string, { workflowId }: { workflowId: string }) => {
      if (isAway) throw AWAY;
      woken.push(workflowId);
    };
    deps = {
      db: world.db,
      client: {
        withDeadline: (_: number, work: () => unknown) => work(),
        workflow: { signalWithStart },
      } as unknown as Client,
      callbackHosts: { allowed: ['127.0.0.1'], refusalOf: async () => undefined },
      sendToReceiver: async () => ({ delivered: true, status: 204, reason: null }),
      reconcileSoon: () => {
        compared += 1;
      },
    };
  });

  const made = async (filter: object = { types: ['build_queued'] }) =>
    (await createSubscription(deps, { body: { url: receiver.url, filter }, caller: 'me' })).subscription.id;
  /** Delivers as a worker does, until something has changed. */
  const deliver = (id: string, db = world.db) => {
    const sender = new CallbackSender({ secrets: [], allowedHosts: ['127.0.0.1'] });
    const { deliverEvents } = subscriptionActivities(db, sender, new AbortController().signal);
    return new MockActivityEnvironment().run(deliverEvents, { id });
  };

  it('is answered as made while Temporal is away, and takes effect with the next comparison', async () => {
    isAway = true;
    const id = await made();
    expect(await findSubscription(world.db, id)).toMatchObject({ status: 'active' });
    expect(await disableSubscription(deps, id, 'me')).toMatchObject({ status: 'disabled' });
    expect(await enableSubscription(deps, id, 'me')).toMatchObject({ status: 'active' });
    await changeSubscription(deps, id, { url: receiver.url }, 'me');
    await replaySubscription(deps, id, 0, 'me');
    expect([woken, compared]).toEqual([[], 5]);
  });

  it('is made once by equal requests with one key, also if they come at once', async () => {
    const asked = { body: { url: receiver.url }, caller: 'me', key: 'at-once' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => createSubscription(deps, asked)));
    expect(new Set(answers.map(({ subscription, secret }) => `${subscription.id} ${secret}`)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it('without a secret keeps the one that another change sets meanwhile', async () => {
    const id = await made();
    const secret = newSecret();
    const others = changedBefore(world.db, /SELECT projected/, 1, () =>
      changeSubscription(deps, id, { url: receiver.url, secret }, 'me'),
    );
    await changeSubscription({ ...deps, db: others }, id, { url: `${receiver.url}&new` }, 'me');
    expect((await findSubscriptionDelivery(world.db, id))?.secret).toBe(secret);
  });

  it('is noticed by whoever delivers, also if it comes between two reads', async () => {
    const id = await made();
    const next = { url: receiver.url, filter: { types: ['build_completed' as const] } };
    const reads = /FROM subscription_deliveries WHERE|WHERE subscriptions.id/;
    const db = changedBefore(world.db, reads, 2, () => changeSubscription(deps, id, next, 'me'));
    expect(await deliver(id, db)).toEqual({ pause_ms: 0 });
  });

  it('holds for events that failed before it, too', async () => {
    receiver.behave(answers(500));
    const id = await made();
    await tell(world.db, 1, 6);
    const delivered = deliver(id);
    await eventually(async () => expect((await findSubscriptionDelivery(world.db, id))?.pending).toHaveLength(1));
    receiver.behave(answers(204));
    await changeSubscription(deps, id, { url: receiver.url, filter: { types: ['build_completed'] } }, 'me');
    expect(await delivered).toEqual({ pause_ms: 0 });
    receiver.received.length = 0;
    const again = deliver(id);
    await tell(world.db, 2, 6);
    await eventually(async () => expect((await findSubscriptionDelivery(world.db, id))?.delivered).toBe(1));
    await disableSubscription(deps, id, 'me');
    await again;
    expect(receiver.received.map(({ body }) => JSON.parse(body).type)).toEqual(['build_completed']);
  });
});
