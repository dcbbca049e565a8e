import { createRoute, z } from '@hono/zod-openapi';
import { type DeliveryDependencies, takeRunDelivery } from '../commands/take-delivery.ts';
import type { Api } from '../environment.ts';
import { ApiError } from '../problem.ts';
import { openProblemResponses } from '../responses.ts';

export interface WebhookDependencies extends DeliveryDependencies {
  /** Reads a delivery that is signed; undefined where no webhook secret is configured. */
  webhooks:
    | {
        isSigned(body: string, signature: string | undefined): Promise<boolean>;
        runOf(
          event: string | undefined,
          body: string,
        ): { run_id: number; run_attempt: number; title: string } | undefined;
      }
    | undefined;
}

const route = createRoute({
  method: 'post',
  path: '/webhooks/github',
  operationId: 'receiveGitHubWebhook',
  tags: ['webhooks'],
  summary: "For GitHub's webhook, content type application/json",
  description:
    'Answered before the work. A delivery only wakes its build, which reads GitHub before anything is believed.',
  request: {
    headers: z.object({
      'x-github-event': z.string().max(100).optional(),
      'x-github-delivery': z.string().max(100).optional(),
      'x-hub-signature-256': z.string().max(200).optional(),
    }),
    body: { required: true, content: { 'application/json': { schema: z.looseObject({}) } } },
  },
  responses: {
    202: {
      description: 'Taken',
      content: { 'application/json': { schema: z.object({ status: z.literal('accepted') }) } },
    },
    ...openProblemResponses(
      'malformed_json',
      'invalid_request',
      'unauthorized',
      'not_found',
      'body_too_large',
      'unsupported_media_type',
    ),
  },
});

export function receiveGitHubWebhook(api: Api, { webhooks, ...deps }: WebhookDependencies): void {
  api.openapi(route, async (c) => {
    if (!webhooks)
      throw new ApiError('not_found', { detail: 'webhooks are not configured; set GITHUB_WEBHOOK_SECRET' });
    const headers = c.req.valid('header');
    const body = await c.req.text();
    if (!(await webhooks.isSigned(body, headers['x-hub-signature-256']))) {
      throw new ApiError('unauthorized', {
        detail: 'X-Hub-Signature-256 does not fit the body and GITHUB_WEBHOOK_SECRET',
      });
    }
    const delivery_id = headers['x-github-delivery'];
    const run = webhooks.runOf(headers['x-github-event'], body);
    if (run && delivery_id) {
      const { log } = c.var;
      void takeRunDelivery(deps, { delivery_id, ...run }).catch((err: unknown) => {
        log.warn({ err, delivery_id }, 'a webhook was lost here; polling will find what it told');
      });
    }
    return c.json({ status: 'accepted' } as const, 202);
  });
}
