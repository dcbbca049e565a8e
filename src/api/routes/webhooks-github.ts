import { createRoute, z } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import { acceptRunDelivery, type DeliveryDependencies } from '../../commands/builds/take-delivery.ts';
import { inTime } from '../../commands/lifecycle/in-time.ts';
import { Refusal } from '../../commands/refusal.ts';
import type { AnnouncedRun } from '../../contracts/github/github.ts';
import type { Api } from '../environment.ts';
import { openProblemResponses } from '../responses.ts';

export interface WebhookDependencies extends DeliveryDependencies {
  /** Checks and reads deliveries; undefined if no webhook secret is configured. */
  webhooks:
    | {
        isSigned(body: string, signature: string | undefined): Promise<boolean>;
        runOf(event: string | undefined, body: string): AnnouncedRun | undefined;
      }
    | undefined;
}

/** How long recording a delivery may take. GitHub waits ten seconds for a response. */
const RECORD_TIMEOUT_MS = 5_000;

/** The parts of a delivery that Hapax reads. Gitea and Forgejo send GitHub's headers too. */
export const deliveryRequest = {
  headers: z.object({
    'x-github-event': z.string().max(100).optional(),
    'x-github-delivery': z.string().max(100).optional(),
    'x-hub-signature-256': z.string().max(200).optional(),
  }),
  body: { required: true, content: { 'application/json': { schema: z.looseObject({}) } } },
} as const;

export const deliveryResponses = {
  202: {
    description: 'Recorded',
    content: { 'application/json': { schema: z.object({ status: z.literal('accepted') }) } },
  },
  ...openProblemResponses(
    'malformed_json',
    'invalid_request',
    'unauthorized',
    'not_found',
    'body_too_large',
    'unsupported_media_type',
    'database_unavailable',
  ),
};

const route = createRoute({
  method: 'post',
  path: '/webhooks/github',
  operationId: 'receiveGitHubWebhook',
  tags: ['webhooks'],
  summary: "Receive GitHub's webhook, with content type application/json",
  description:
    'Hapax responds when the delivery is recorded, before it acts on it. A delivery only makes its build read the run at GitHub; its content is not trusted. The response is 503 if the delivery cannot be recorded; Hapax later asks GitHub to send it again.',
  request: deliveryRequest,
  responses: deliveryResponses,
});

export function receiveGitHubWebhook(api: Api, { webhooks, ...deps }: WebhookDependencies): void {
  api.openapi(route, async (c) => {
    if (!webhooks) throw new Refusal('not_found', { detail: 'webhooks are not configured; set GITHUB_WEBHOOK_SECRET' });
    const headers = c.req.valid('header');
    const body = await c.req.text();
    if (!(await webhooks.isSigned(body, headers['x-hub-signature-256']))) {
      throw new Refusal('unauthorized', {
        detail: 'X-Hub-Signature-256 does not match the body and GITHUB_WEBHOOK_SECRET',
      });
    }
    const run = webhooks.runOf(headers['x-github-event'], body);
    await acceptDelivery(deps, c.var.log, run, headers['x-github-delivery']);
    return c.json({ status: 'accepted' } as const, 202);
  });
}

/** Records a delivery about a run, and starts to handle it. @throws {Refusal} if it cannot be recorded. */
export async function acceptDelivery(
  deps: DeliveryDependencies,
  log: Logger,
  run: AnnouncedRun | undefined,
  delivery_id: string | undefined,
): Promise<void> {
  if (!run || !delivery_id) return;
  const accepting = acceptRunDelivery(deps, { delivery_id, ...run });
  const work = await inTime(accepting, RECORD_TIMEOUT_MS, 'the database does not answer').catch((cause: unknown) => {
    throw new Refusal('database_unavailable', {
      detail: 'the delivery could not be recorded; send it again',
      retryAfterSeconds: 5,
      cause,
    });
  });
  void work?.().catch((err: unknown) => {
    log.warn({ err, delivery_id }, 'handling a webhook failed; trying again later');
  });
}
