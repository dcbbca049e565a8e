import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../commands/refusal.ts';
import { changeSubscription, deleteSubscription } from '../../commands/subscriptions/operate-subscription.ts';
import type { SubscriptionDependencies } from '../../commands/subscriptions/subscription-dependencies.ts';
import { subscriptionBody, subscriptionIdParam, subscriptionView } from '../../contracts/subscriptions/subscription.ts';
import { findSubscription } from '../../store/subscriptions/subscription-find.ts';
import type { Api } from '../environment.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';
import { subscriptionViewOf } from '../subscription-view.ts';

const subscription = jsonResponse('The subscription', subscriptionView);

const readRoute = createRoute({
  method: 'get',
  path: '/subscriptions/{id}',
  operationId: 'getSubscription',
  ...needs('read'),
  tags: ['subscriptions'],
  summary: 'Get a subscription with its progress',
  request: { params: subscriptionIdParam },
  responses: { 200: subscription, ...problems('invalid_request', 'not_found', 'database_unavailable') },
});

const replaceRoute = createRoute({
  method: 'put',
  path: '/subscriptions/{id}',
  operationId: 'replaceSubscription',
  ...needs('configure'),
  tags: ['subscriptions'],
  summary: 'Change a subscription',
  description:
    'What the body leaves out gets its default, except the secret, which stays. Delivery continues from the same position.',
  request: { params: subscriptionIdParam, body: jsonBody(subscriptionBody) },
  responses: {
    200: subscription,
    ...problems(...BODY_PROBLEMS, 'not_found', 'unprocessable_callback_url', 'database_unavailable'),
  },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/subscriptions/{id}',
  operationId: 'deleteSubscription',
  ...needs('configure'),
  tags: ['subscriptions'],
  summary: 'Delete a subscription',
  description: 'Its URL, secret and headers are deleted. A delivery that is under way still ends.',
  request: { params: subscriptionIdParam },
  responses: {
    204: { description: 'It is deleted' },
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function subscriptionById(api: Api, deps: SubscriptionDependencies): void {
  api.openapi(readRoute, async (c) => {
    const { id } = c.req.valid('param');
    const found = await findSubscription(deps.db, id);
    if (!found) throw notFound(`subscription ${id}`);
    return c.json(subscriptionViewOf(found), 200);
  });
  api.openapi(replaceRoute, async (c) => {
    const { id } = c.req.valid('param');
    const changed = await changeSubscription(deps, id, c.req.valid('json'), c.var.caller);
    c.var.log.info({ subscription: id, origin: changed.url_origin }, 'subscription changed');
    return c.json(subscriptionViewOf(changed), 200);
  });
  api.openapi(deleteRoute, async (c) => {
    const { id } = c.req.valid('param');
    await deleteSubscription(deps, id, c.var.caller);
    c.var.log.info({ subscription: id }, 'subscription deleted');
    return c.body(null, 204);
  });
}
