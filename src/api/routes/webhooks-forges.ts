import { createRoute, z } from '@hono/zod-openapi';
import { credentialName } from '../../contracts/forges/forge-settings.ts';
import type { Api } from '../environment.ts';
import { acceptDelivery, deliveryRequest, deliveryResponses, type WebhookDependencies } from './webhooks-github.ts';

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

export function receiveForgeWebhook(api: Api, deps: WebhookDependencies): void {
  api.openapi(route, async (c) => {
    await acceptDelivery(deps, c, c.req.valid('param').credential);
    return c.json({ status: 'accepted' } as const, 202);
  });
}
