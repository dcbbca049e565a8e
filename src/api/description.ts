import packageJson from '../../package.json' with { type: 'json' };
import { buildCallback } from '../contracts/builds/build.ts';
import { taskCallback } from '../contracts/tasks/task.ts';
import type { Api } from './environment.ts';
import { withExamples } from './examples/apply.ts';
import { isOpenPath, isSignedPath } from './guard.ts';

/** The requests that Hapax sends to a callback_url. */
const CALLBACKS = { build: buildCallback, task: taskCallback };

const ABOUT = {
  openapi: '3.1.0',
  security: [{ key: [] }, {}],
  info: {
    title: 'Hapax',
    version: packageJson.version,
    description:
      'Triggers GitHub Actions builds and runs content tasks effectively once, follows them until they end, and keeps an immutable record.',
    license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
  },
};

/**
 * Serves the description of all routes defined so far at /openapi.json, with the credentials that each needs and with examples. It also
 * has what Hapax sends to callback URLs.
 */
export function describeRoutes(api: Api): void {
  const { openAPIRegistry: registry } = api;
  registry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description:
      'A key: one that was created, or a secret from API_KEYS. Each operation lists the right that a key needs for it. An API on loopback without any keys needs none.',
  });
  registry.registerComponent('securitySchemes', 'signature', {
    type: 'apiKey',
    in: 'header',
    name: 'X-Hub-Signature-256',
    description: 'HMAC of the body with the secret of the webhook, as GitHub makes it.',
  });
  for (const definition of registry.definitions) {
    if (definition.type !== 'route') continue;
    const { path } = definition.route;
    const security = isSignedPath(path) ? [{ signature: [] }] : isOpenPath(path) ? [] : undefined;
    definition.route = { ...withExamples(definition.route), ...(security && { security }) };
  }
  for (const [subject, schema] of Object.entries(CALLBACKS)) {
    registry.registerWebhook({
      ...{ method: 'post', path: `${subject}-ended` },
      summary: `A ${subject} has ended`,
      description: `Sent to each callback_url of the ${subject}, as Standard Webhooks 1.0 say.`,
      request: { body: { required: true, content: { 'application/json': { schema } } } },
      responses: {
        '2XX': { description: 'The receiver has it. Any other response but 410 makes Hapax send it again.' },
      },
    });
  }
  // Made once: it takes the process a tenth of a second or more, and anybody may ask for it.
  let description: string | undefined;
  api.get('/openapi.json', (c) => {
    description ??= JSON.stringify(api.getOpenAPI31Document(ABOUT));
    return c.body(description, 200, { 'Content-Type': 'application/json' });
  });
}
