import { createRoute } from '@hono/zod-openapi';
import { createSubscription } from '../../commands/subscriptions/create-subscription.ts';
import type { SubscriptionDependencies } from '../../commands/subscriptions/subscription-dependencies.ts';
import {
  newSubscriptionBody,
  newSubscriptionView,
  subscriptionListQuery,
  subscriptionPage,
} from '../../contracts/subscriptions/subscription.ts';
import { listSubscriptions } from '../../store/subscriptions/subscription-list.ts';
import type { Api } from '../environment.ts';
import { headersOfNew, IDEMPOTENCY_PROBLEMS, idempotencyHeader, idempotencyKeyOf } from '../idempotency.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';
import { subscriptionViewOf } from '../subscription-view.ts';

const createSubscriptionRoute = createRoute({
  method: 'post',
  path: '/subscriptions',
  operationId: 'createSubscription',
  ...needs('configure'),
  tags: ['subscriptions'],
  summary: 'Create a subscription: send events to a URL',
  description:
    'Each event that matches the filter is sent by POST, signed as Standard Webhooks. An event may be sent twice, with the same `webhook-id`. Events may arrive out of order: order them by `data.id`.',
  request: { headers: idempotencyHeader, body: jsonBody(newSubscriptionBody) },
  responses: {
    201: jsonResponse('The subscription', newSubscriptionView, headersOfNew('the subscription')),
    ...problems(
      ...BODY_PROBLEMS,
      ...IDEMPOTENCY_PROBLEMS,
      'state_conflict',
      'unprocessable_callback_url',
      'too_many_subscriptions',
      'database_unavailable',
    ),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/subscriptions',
  operationId: 'listSubscriptions',
  ...needs('read'),
  tags: ['subscriptions'],
  summary: 'List subscriptions with their progress',
  request: { query: subscriptionListQuery },
  responses: {
    200: jsonResponse('One page', subscriptionPage),
    ...problems('invalid_request', 'database_unavailable'),
  },
});

export function subscriptions(api: Api, deps: SubscriptionDependencies): void {
  api.openapi(createSubscriptionRoute, async (c) => {
    const { caller } = c.var;
    const asked = { body: c.req.valid('json'), caller, key: idempotencyKeyOf(c) };
    const { subscription, secret, replayed } = await createSubscription(deps, asked);
    if (replayed) c.header('Idempotent-Replayed', 'true');
    c.var.log.info({ subscription: subscription.id, origin: subscription.url_origin }, 'subscription made');
    c.header('Location', `/subscriptions/${subscription.id}`);
    return c.json({ ...subscriptionViewOf(subscription), ...(secret === undefined ? {} : { secret }) }, 201);
  });
  api.openapi(listRoute, async (c) => {
    const { limit, cursor = '' } = c.req.valid('query');
    const found = await listSubscriptions(deps.db, cursor, limit + 1);
    const page = found.slice(0, limit).map(subscriptionViewOf);
    return c.json({ subscriptions: page, next_cursor: found.length > limit ? page.at(-1)!.id : null }, 200);
  });
}
