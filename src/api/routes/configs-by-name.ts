import { createRoute, z } from '@hono/zod-openapi';
import { type ChangeDependencies, changeConfiguration } from '../../commands/configurations/change-configuration.ts';
import {
  configurationContent,
  configurationNameParam,
  configurationView,
} from '../../contracts/builds/configuration.ts';
import { configurationViewOf } from '../configuration-view.ts';
import type { Api } from '../environment.ts';
import { etagOf, ifMatch, ifMatchHeader } from '../etag.ts';
import { problemResponses } from '../responses.ts';
import { needs } from '../rights.ts';

const headers = z.object({
  Location: z.string().meta({ description: 'URL of the configuration.' }),
  ETag: z.string().meta({ description: 'The version, for If-Match.' }),
});
const content = { 'application/json': { schema: configurationView } };

const route = createRoute({
  method: 'put',
  path: '/configs/by-name/{name}',
  operationId: 'upsertConfiguration',
  ...needs('configure'),
  tags: ['configurations'],
  summary: 'Create the build configuration with this name, or replace it with a new version',
  description:
    'What the body leaves out gets its default. An equal body makes no new version. A retired configuration becomes active again.',
  request: {
    params: configurationNameParam,
    headers: ifMatchHeader,
    body: { required: true, content: { 'application/json': { schema: configurationContent } } },
  },
  responses: {
    200: { description: 'The current version', headers, content },
    201: { description: 'Its first version', headers, content },
    ...problemResponses(
      'malformed_json',
      'invalid_request',
      'configuration_of_environment',
      'not_supported',
      'precondition_failed',
      'body_too_large',
      'unsupported_media_type',
      'database_unavailable',
    ),
  },
});

export function putConfigurationByName(api: Api, deps: ChangeDependencies): void {
  api.openapi(route, async (c) => {
    const { name } = c.req.valid('param');
    const expects = ifMatch(c.req.valid('header')['if-match']);
    const edit = { target: { name }, to: { name, content: c.req.valid('json') }, caller: c.var.caller, expects };
    const { configuration, created } = await changeConfiguration(deps, edit);
    c.var.log.info({ config_id: configuration.id, version: configuration.version }, 'build configuration upserted');
    c.header('Location', `/configs/${configuration.id}`);
    c.header('ETag', etagOf(configuration.version));
    return c.json(configurationViewOf(configuration), created ? 201 : 200);
  });
}
