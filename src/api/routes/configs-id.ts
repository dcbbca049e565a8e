import { createRoute } from '@hono/zod-openapi';
import type { ChangeDependencies } from '../../commands/configurations/change-configuration.ts';
import type { Configurations } from '../../commands/configurations/configurations.ts';
import { configurationBody, configurationIdParam, configurationView } from '../../contracts/builds/configuration.ts';
import { changeFor } from '../configuration-change.ts';
import { configurationViewOf } from '../configuration-view.ts';
import type { Api } from '../environment.ts';
import { etagHeader, etagOf, ifMatchHeader } from '../etag.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const version = (description: string) => jsonResponse(description, configurationView, { ETag: etagHeader });

const readRoute = createRoute({
  method: 'get',
  path: '/configs/{id}',
  operationId: 'getConfiguration',
  ...needs('read'),
  tags: ['configurations'],
  summary: 'Get a build configuration in its newest version',
  request: { params: configurationIdParam },
  responses: {
    200: version('The newest version'),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function getConfiguration(api: Api, configurations: Configurations): void {
  api.openapi(readRoute, async (c) => {
    const configuration = await configurations.existing(c.req.valid('param').id);
    c.header('ETag', etagOf(configuration.version));
    return c.json(configurationViewOf(configuration), 200);
  });
}

const replaceRoute = createRoute({
  method: 'put',
  path: '/configs/{id}',
  operationId: 'replaceConfiguration',
  ...needs('configure'),
  tags: ['configurations'],
  summary: 'Replace a build configuration with a new version',
  description:
    'What the body leaves out gets its default. An equal body makes no new version. A retired configuration becomes active again.',
  request: { params: configurationIdParam, headers: ifMatchHeader, body: jsonBody(configurationBody) },
  responses: {
    200: version('The version that stands now'),
    ...problems(
      ...BODY_PROBLEMS,
      'not_found',
      'configuration_name_taken',
      'configuration_of_environment',
      'not_supported',
      'precondition_failed',
      'database_unavailable',
    ),
  },
});

export function putConfiguration(api: Api, deps: ChangeDependencies): void {
  api.openapi(replaceRoute, async (c) => {
    const { name, ...content } = c.req.valid('json');
    const edit = { target: c.req.valid('param'), to: { name, content } };
    return c.json((await changeFor(c, deps, edit, 'replaced')).view, 200);
  });
}

const retireRoute = createRoute({
  method: 'delete',
  path: '/configs/{id}',
  operationId: 'retireConfiguration',
  ...needs('configure'),
  tags: ['configurations'],
  summary: 'Retire a build configuration',
  description:
    'Adds a version that refuses triggers. Its name and history stay, and its builds continue. A PUT makes it active again.',
  request: { params: configurationIdParam, headers: ifMatchHeader },
  responses: {
    200: version('The retired version'),
    ...problems(
      'invalid_request',
      'not_found',
      'configuration_of_environment',
      'precondition_failed',
      'database_unavailable',
    ),
  },
});

export function deleteConfiguration(api: Api, deps: ChangeDependencies): void {
  api.openapi(retireRoute, async (c) => {
    const edit = { target: c.req.valid('param'), to: undefined };
    return c.json((await changeFor(c, deps, edit, 'retired')).view, 200);
  });
}
