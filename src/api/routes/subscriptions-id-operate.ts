import { createRoute } from '@hono/zod-openapi';
import {
  disableSubscription,
  enableSubscription,
  replaySubscription,
  testSubscription,
} from '../../commands/subscriptions/operate-subscription.ts';
import type { SubscriptionDependencies } from '../../commands/subscriptions/subscription-dependencies.ts';
import {
  replayBody,
  subscriptionIdParam,
  subscriptionView,
  testAnswer,
} from '../../contracts/subscriptions/subscription.ts';
import type { Api } from '../environment.ts';
import { jsonBody, jsonResponse, NO_BODY_PROBLEMS, problems } from '../responses.ts';
import { needs } from '../rights.ts';
import { subscriptionViewOf } from '../subscription-view.ts';

const subscription = jsonResponse('The subscription as it is now', subscriptionView);
const PROBLEMS = [...NO_BODY_PROBLEMS, 'not_found', 'state_conflict', 'database_unavailable'] as const;

const OPERATIONS = [
  {
    ...{ verb: 'disable', change: disableSubscription, summary: 'Disable a subscription' },
    description: 'Nothing is sent until it is enabled again. Then it sends what happened in the meantime.',
  },
  {
    ...{ verb: 'enable', change: enableSubscription, summary: 'Enable a subscription' },
    description: 'It continues with the first event that was not delivered. Failed events are sent again at once.',
  },
] as const;

const testRoute = createRoute({
  method: 'post',
  path: '/subscriptions/{id}/test',
  operationId: 'testSubscription',
  ...needs('operate'),
  tags: ['subscriptions'],
  summary: 'Send a test message of the type `ping` once',
  request: { params: subscriptionIdParam },
  responses: {
    200: jsonResponse('What the receiver answered', testAnswer),
    ...problems(...NO_BODY_PROBLEMS, 'not_found', 'database_unavailable'),
  },
});

const replayRoute = createRoute({
  method: 'post',
  path: '/subscriptions/{id}/replay',
  operationId: 'replaySubscription',
  ...needs('operate'),
  tags: ['subscriptions'],
  summary: 'Send events again, from a position in the log',
  description: 'They have the same `webhook-id` as before. `GET /events` shows positions.',
  request: { params: subscriptionIdParam, body: jsonBody(replayBody) },
  responses: { 200: subscription, ...problems(...PROBLEMS, 'malformed_json') },
});

export function operateSubscription(api: Api, deps: SubscriptionDependencies): void {
  for (const { verb, change, ...words } of OPERATIONS) {
    const route = createRoute({
      method: 'post',
      path: `/subscriptions/{id}/${verb}`,
      operationId: `${verb}Subscription`,
      ...needs('operate'),
      tags: ['subscriptions'],
      ...words,
      request: { params: subscriptionIdParam },
      responses: { 200: subscription, ...problems(...PROBLEMS) },
    });
    api.openapi(route, async (c) => {
      const changed = await change(deps, c.req.valid('param').id, c.var.caller);
      c.var.log.info({ subscription: changed.id }, `subscription ${verb}d`);
      return c.json(subscriptionViewOf(changed), 200);
    });
  }
  api.openapi(testRoute, async (c) => c.json(await testSubscription(deps, c.req.valid('param').id), 200));
  api.openapi(replayRoute, async (c) => {
    const { after } = c.req.valid('json');
    const changed = await replaySubscription(deps, c.req.valid('param').id, after, c.var.caller);
    c.var.log.info({ subscription: changed.id, after }, 'subscription replayed');
    return c.json(subscriptionViewOf(changed), 200);
  });
}
