import { createRoute, z } from '@hono/zod-openapi';
import { Refusal } from '../../commands/refusal.ts';
import { credentialName } from '../../contracts/forges/forge-settings.ts';
import type { AnnouncedRun } from '../../contracts/github/github.ts';
import type { Api } from '../environment.ts';
import { acceptDelivery, deliveryRequest, deliveryResponses, type WebhookDependencies } from './webhooks-github.ts';

export interface ForgeWebhookDependencies extends WebhookDependencies {
  /** Checks and reads deliveries for named credentials; undefined if no secret is configured. */
  forgeWebhooks:
    | {
        isKnown(credential: string): boolean;
        isSigned(credential: string, body: string, signature: string | undefined): Promise<boolean>;
        runOf(event: string | undefined, body: string, credential: string): AnnouncedRun | undefined;
      }
    | undefined;
}

const route = createRoute({
  method: 'post',
  path: '/webhooks/forges/{credential}',
  operationId: 'receiveForgeWebhook',
  tags: ['webhooks'],
  summary: 'Receive the webhook of a Gitea, a Forgejo or another GitHub, with content type application/json',
  description:
    'Gitea and Forgejo send the headers of GitHub besides their own, and sign like GitHub. A delivery only makes its build read the run at the forge; its content is not trusted.',
  request: {
    params: z.strictObject({
      credential: credentialName.meta({
        description: 'Name of the credential in FORGE_CREDENTIALS, and of its secret in FORGE_WEBHOOK_SECRETS.',
        example: 'work',
      }),
    }),
    ...deliveryRequest,
  },
  responses: deliveryResponses,
});

export function receiveForgeWebhook(api: Api, { forgeWebhooks, ...deps }: ForgeWebhookDependencies): void {
  api.openapi(route, async (c) => {
    const { credential } = c.req.valid('param');
    if (!forgeWebhooks?.isKnown(credential)) {
      throw new Refusal('not_found', {
        detail: `webhooks of ${credential} are not configured; set FORGE_WEBHOOK_SECRETS`,
      });
    }
    const headers = c.req.valid('header');
    const body = await c.req.text();
    if (!(await forgeWebhooks.isSigned(credential, body, headers['x-hub-signature-256']))) {
      throw new Refusal('unauthorized', {
        detail: `X-Hub-Signature-256 does not match the body and the secret of ${credential} in FORGE_WEBHOOK_SECRETS`,
      });
    }
    const run = forgeWebhooks.runOf(headers['x-github-event'], body, credential);
    await acceptDelivery(deps, c.var.log, run, headers['x-github-delivery']);
    return c.json({ status: 'accepted' } as const, 202);
  });
}
