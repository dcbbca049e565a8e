import { randomUUID } from 'node:crypto';
import type { Happening } from '../../contracts/builds/event.ts';
import type { SubscriptionBody } from '../../contracts/subscriptions/subscription.ts';
import type { SubscriptionEvent } from '../../contracts/subscriptions/subscription-event.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import { pingOf } from '../../domain/subscriptions/subscription-message.ts';
import { type Db, inTransaction } from '../../store/database.ts';
import { findInstallation } from '../../store/installation/installation-find.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import type { Delivery } from '../../store/subscriptions/subscription-delivery.ts';
import {
  changeSubscriptionDelivery,
  resetSubscriptionDelivery,
  rewindSubscriptionDelivery,
} from '../../store/subscriptions/subscription-delivery-change.ts';
import { deleteSubscriptionDelivery } from '../../store/subscriptions/subscription-delivery-delete.ts';
import { findSubscriptionDelivery } from '../../store/subscriptions/subscription-delivery-find.ts';
import { type FollowedSubscription, findSubscription } from '../../store/subscriptions/subscription-find.ts';
import { SUBSCRIPTIONS } from '../../store/subscriptions/subscription-stream.ts';
import { notFound, Refusal } from '../refusal.ts';
import { describe } from './create-subscription.ts';
import { wakeSubscription } from './start-subscription.ts';
import type { SubscriptionDependencies } from './subscription-dependencies.ts';

/** Changes a subscription. An omitted secret stays. @throws {Refusal} if nothing was changed. */
export async function changeSubscription(
  deps: SubscriptionDependencies,
  id: string,
  body: SubscriptionBody,
  caller: string,
): Promise<FollowedSubscription> {
  const described = await describe(deps, body);
  const { url, headers = {}, secret } = body;
  return change(deps, id, { type: 'subscription_changed', data: { ...described, by: caller } }, (tx) =>
    changeSubscriptionDelivery(tx, id, { url, headers, secret }),
  );
}

/** Stops sending. Events of the meantime are sent once it is enabled again. @throws {Refusal} */
export function disableSubscription(deps: SubscriptionDependencies, id: string, by: string) {
  const data = { reason: `disabled by ${by}`, by };
  return change(deps, id, { type: 'subscription_disabled', data }, (tx) => resetSubscriptionDelivery(tx, id), [
    'active',
    'it is disabled already',
  ]);
}

/** Continues sending where it stopped. @throws {Refusal} */
export function enableSubscription(deps: SubscriptionDependencies, id: string, by: string) {
  return change(deps, id, { type: 'subscription_enabled', data: { by } }, (tx) => resetSubscriptionDelivery(tx, id), [
    'disabled',
    'it is active already',
  ]);
}

/** Sends the events after a position again, under their old ids. @throws {Refusal} */
export async function replaySubscription(deps: SubscriptionDependencies, id: string, after: number, by: string) {
  const end = await findLogEnd(deps.db);
  if (after > end) throw new Refusal('state_conflict', { detail: `the log ends at position ${end}` });
  return change(deps, id, { type: 'subscription_replayed', data: { after, by } }, (tx) =>
    rewindSubscriptionDelivery(tx, id, after),
  );
}

/** Ends a subscription and forgets its URL, secret and headers. @throws {Refusal} */
export async function deleteSubscription(deps: SubscriptionDependencies, id: string, by: string): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    await existing(tx, id);
    await append(tx, id, { type: 'subscription_deleted', data: { by } });
    await deleteSubscriptionDelivery(tx, id);
  });
  await wakeSubscription(deps, id);
}

/** Sends a message of the type `ping` once. @throws {Refusal} if there is no such subscription. */
export async function testSubscription({ db, sendToReceiver }: SubscriptionDependencies, id: string) {
  const [{ format }, delivery] = await existing(db, id);
  const source = `urn:hapax:${(await findInstallation(db)).id}`;
  const message = pingOf(format, source, randomUUID().replaceAll('-', ''), new Date().toISOString());
  return sendToReceiver(delivery, message);
}

async function change(
  deps: SubscriptionDependencies,
  id: string,
  told: Happening<SubscriptionEvent>,
  save: (tx: Db) => Promise<void>,
  [wanted, otherwise]: [FollowedSubscription['status'] | undefined, string] = [undefined, ''],
): Promise<FollowedSubscription> {
  await inTransaction(deps.db, async (tx) => {
    const [{ status }] = await existing(tx, id);
    if (wanted && status !== wanted) throw new Refusal('state_conflict', { detail: otherwise });
    await append(tx, id, told);
    await save(tx);
  });
  await wakeSubscription(deps, id);
  return (await existing(deps.db, id))[0];
}

async function existing(db: Db, id: string): Promise<[FollowedSubscription, Delivery]> {
  const [subscription, delivery] = [await findSubscription(db, id), await findSubscriptionDelivery(db, id)];
  if (!subscription || !delivery) throw notFound(`subscription ${id}`);
  return [subscription, delivery];
}

async function append(tx: Db, id: string, told: Happening<SubscriptionEvent>): Promise<void> {
  const event = { ...told, occurred_at: new Date().toISOString(), dedupe_key: `${told.type}:${randomUUID()}` };
  try {
    await appendEvent(tx, SUBSCRIPTIONS, id, event as SubscriptionEvent);
  } catch (error) {
    if (!(error instanceof IllegalEvent)) throw error;
    throw new Refusal('state_conflict', { detail: error.message });
  }
}
