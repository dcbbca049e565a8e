import { randomBytes } from 'node:crypto';
import { LIMITS } from '../../contracts/budgets.ts';
import type { SubscriptionBody } from '../../contracts/subscriptions/subscription.ts';
import type { SubscriptionEvent } from '../../contracts/subscriptions/subscription-event.ts';
import { subscriptionWorkflowId } from '../../contracts/subscriptions/subscription-workflow.ts';
import { requestKey } from '../../domain/builds/request-key.ts';
import { canonicalJson, sha256 } from '../../domain/record/hash.ts';
import { type Db, inTransaction } from '../../store/database.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { claimRequestKey } from '../../store/request-key-claim.ts';
import { countSubscriptions } from '../../store/subscriptions/subscription-count.ts';
import { addSubscriptionDelivery } from '../../store/subscriptions/subscription-delivery-add.ts';
import { findSubscriptionDelivery } from '../../store/subscriptions/subscription-delivery-find.ts';
import { type FollowedSubscription, findSubscription } from '../../store/subscriptions/subscription-find.ts';
import { SUBSCRIPTIONS } from '../../store/subscriptions/subscription-stream.ts';
import { callbackOf } from '../callbacks/callback-of.ts';
import { notFound, Refusal } from '../refusal.ts';
import { wakeSubscription } from './start-subscription.ts';
import type { SubscriptionDependencies } from './subscription-dependencies.ts';

export interface NewSubscription {
  body: SubscriptionBody & { after?: number | undefined };
  caller: string;
  /** Idempotency-Key of the request. */
  key?: string | undefined;
}

/** A created subscription. The secret is there if Hapax made it. */
export interface CreatedSubscription {
  subscription: FollowedSubscription;
  secret?: string;
  replayed: boolean;
}

/** Makes a subscription and starts its delivery. @throws {Refusal} if nothing was made. */
export async function createSubscription(
  deps: SubscriptionDependencies,
  { body, caller, key }: NewSubscription,
): Promise<CreatedSubscription> {
  const { db } = deps;
  const described = await describe(deps, body);
  const { url, headers = {}, secret = newSecret() } = body;
  const { id, created } = await inTransaction(db, async (tx) => {
    const count = await countSubscriptions(tx);
    // With the subscription or not at all: a refused request leaves its key free.
    const id = await idFor(tx, body, caller, key);
    // Nobody else adds one now, so an equal request that was first is found.
    if (await findSubscription(tx, id)) return { id, created: false };
    if (count >= LIMITS.subscriptions.count) {
      throw new Refusal('too_many_subscriptions', { detail: `delete one of ${LIMITS.subscriptions.count} first` });
    }
    const after = body.after ?? (await findLogEnd(tx));
    const event: SubscriptionEvent = {
      type: 'subscription_created',
      data: { ...described, subscription_id: id, workflow_id: subscriptionWorkflowId(id), after, by: caller },
      occurred_at: new Date().toISOString(),
      dedupe_key: 'created',
    };
    const { repeated } = await appendEvent(tx, SUBSCRIPTIONS, id, event);
    if (repeated) throw new Refusal('state_conflict', { detail: `${id} was made with this key, and is deleted` });
    await addSubscriptionDelivery(tx, id, { url, secret, headers }, after);
    return { id, created: true };
  });
  await wakeSubscription(deps, id);
  const subscription = await findSubscription(db, id);
  const delivery = await findSubscriptionDelivery(db, id);
  if (!subscription || !delivery) throw notFound(`subscription ${id}`);
  return { subscription, replayed: !created, ...(body.secret === undefined ? { secret: delivery.secret } : {}) };
}

/** Returns what is recorded and shown of a body. @throws {Refusal} if its URL can never be called. */
export async function describe(deps: SubscriptionDependencies, body: SubscriptionBody) {
  const { url, name, format = 'standard', filter = {}, headers = {} } = body;
  const target = await callbackOf(url, deps.callbackHosts).catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.code !== 'unprocessable_callback_url') throw error;
    throw new Refusal(error.code, { detail: error.detail!.replace(/^callback_url/, 'url') });
  });
  const named = Object.entries(filter).filter(([, words]) => words !== undefined) as Array<[string, string[]]>;
  return {
    name: name ?? new URL(url).host,
    url_origin: target!.origin,
    format,
    filter: Object.fromEntries(named),
    header_names: Object.keys(headers),
  };
}

/** Returns a new id or, if the same request with this key made one before, that one. */
async function idFor(db: Db, body: object, caller: string, key: string | undefined): Promise<string> {
  const made = `sub_${randomBytes(12).toString('hex')}`;
  if (key === undefined) return made;
  const fingerprint = sha256(canonicalJson(JSON.parse(JSON.stringify(body))));
  const scoped = requestKey('', { caller, route: 'POST /subscriptions', key });
  const claim = await claimRequestKey(db, scoped, { fingerprint, made });
  if (claim.fingerprint === fingerprint) return claim.made;
  throw new Refusal('idempotency_key_reused', {
    detail: `${claim.made} was already made with this key with other content; use a new key`,
  });
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
