import { createRoute, z } from '@hono/zod-openapi';
import { acceptRunDelivery, type DeliveryDependencies } from '../../commands/builds/take-delivery.ts';
import { inTime } from '../../commands/lifecycle/in-time.ts';
import { Refusal } from '../../commands/refusal.ts';
import type { AnnouncedRun } from '../../contracts/github/github.ts';
import type { Api, ApiContext } from '../environment.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, openProblems } from '../responses.ts';

export interface WebhookDependencies extends DeliveryDependencies {
  /** Checks and reads deliveries; undefined if no secret is configured. */
  webhooks:
    | {
        /** Returns the secrets of a credential's webhooks; of GitHub's without one. Empty if none is configured. */
        secretsOf(credential: string | undefined): readonly string[];
        isSigned(body: string, signature: string | undefined, secrets: readonly string[]): Promise<boolean>;
        runOf(event: string | undefined, body: string, credential: string | undefined): AnnouncedRun | undefined;
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
  body: jsonBody(z.looseObject({})),
} as const;

export const deliveryResponses = {
  202: jsonResponse('Recorded', z.object({ status: z.literal('accepted') })),
  ...openProblems(...BODY_PROBLEMS, 'unauthorized', 'not_found', 'database_unavailable'),
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

export function receiveGitHubWebhook(api: Api, deps: WebhookDependencies): void {
  api.openapi(route, async (c) => {
    await acceptDelivery(deps, c);
    return c.json({ status: 'accepted' } as const, 202);
  });
}

/**
 * Checks a delivery, records it, and starts to handle it.
 * @param credential the one that it is for; undefined: GitHub's
 * @throws {Refusal} if it is not signed, or cannot be recorded
 */
export async function acceptDelivery(
  { webhooks, ...deps }: WebhookDependencies,
  { req, var: { log } }: ApiContext,
  credential?: string,
): Promise<void> {
  const [ours, setting, secret] =
    credential === undefined
      ? ['webhooks', 'GITHUB_WEBHOOK_SECRET', 'GITHUB_WEBHOOK_SECRET']
      : [`webhooks of ${credential}`, 'FORGE_WEBHOOK_SECRETS', `the secret of ${credential} in FORGE_WEBHOOK_SECRETS`];
  const secrets = webhooks?.secretsOf(credential);
  if (!webhooks || !secrets?.length) {
    throw new Refusal('not_found', { detail: `${ours} are not configured; set ${setting}` });
  }
  const body = await req.text();
  if (!(await webhooks.isSigned(body, req.header('x-hub-signature-256'), secrets))) {
    throw new Refusal('unauthorized', { detail: `X-Hub-Signature-256 does not match the body and ${secret}` });
  }
  const run = webhooks.runOf(req.header('x-github-event'), body, credential);
  const delivery_id = req.header('x-github-delivery');
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
