import { createRoute } from '@hono/zod-openapi';
import type { ChangeDependencies } from '../../commands/configurations/change-configuration.ts';
import {
  configurationContent,
  configurationNameParam,
  configurationView,
} from '../../contracts/builds/configuration.ts';
import { changeFor } from '../configuration-change.ts';
import type { Api } from '../environment.ts';
import { etagHeader, ifMatchHeader } from '../etag.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, locationHeader, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const version = (description: string) =>
  jsonResponse(description, configurationView, { Location: locationHeader('the configuration'), ETag: etagHeader });

const route = createRoute({
  method: 'put',
  path: '/configs/by-name/{name}',
  operationId: 'upsertConfiguration',
  ...needs('configure'),
  tags: ['configurations'],
  summary: 'Create the build configuration with this name, or replace it with a new version',
  description:
    'What the body leaves out gets its default. An equal body makes no new version. A retired configuration becomes active again.',
  request: { params: configurationNameParam, headers: ifMatchHeader, body: jsonBody(configurationContent) },
  responses: {
    200: version('The current version'),
    201: version('Its first version'),
    ...problems(
      ...BODY_PROBLEMS,
      'configuration_of_environment',
      'not_supported',
      'precondition_failed',
      'database_unavailable',
    ),
  },
});

export function putConfigurationByName(api: Api, deps: ChangeDependencies): void {
  api.openapi(route, async (c) => {
    const { name } = c.req.valid('param');
    const edit = { target: { name }, to: { name, content: c.req.valid('json') } };
    const { view, created } = await changeFor(c, deps, edit, 'upserted');
    c.header('Location', `/configs/${view.id}`);
    return c.json(view, created ? 201 : 200);
  });
}
