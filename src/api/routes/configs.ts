import { createRoute } from '@hono/zod-openapi';
import { type ChangeDependencies, changeConfiguration } from '../../commands/configurations/change-configuration.ts';
import type { Configurations } from '../../commands/configurations/configurations.ts';
import {
  configurationBody,
  configurationListQuery,
  configurationPage,
  configurationView,
} from '../../contracts/builds/configuration.ts';
import { listConfigurations } from '../../store/builds/configuration-list.ts';
import type { Db } from '../../store/database.ts';
import { configurationViewOf } from '../configuration-view.ts';
import type { Api } from '../environment.ts';
import { etagHeader, etagOf } from '../etag.ts';
import { headersOfNew, IDEMPOTENCY_PROBLEMS, idempotencyHeader, idempotencyKeyOf } from '../idempotency.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const listRoute = createRoute({
  method: 'get',
  path: '/configs',
  operationId: 'listConfigurations',
  ...needs('read'),
  tags: ['configurations'],
  summary: 'List the newest version of each build configuration, including retired ones',
  request: { query: configurationListQuery },
  responses: {
    200: jsonResponse('One page', configurationPage),
    ...problems('invalid_request', 'database_unavailable'),
  },
});

export function getConfigurations(api: Api, db: Db, configurations: Configurations): void {
  api.openapi(listRoute, async (c) => {
    const { name, limit, cursor } = c.req.valid('query');
    if (name !== undefined) {
      const found = await configurations.byName(name);
      return c.json({ configs: found ? [configurationViewOf(found)] : [], next_cursor: null }, 200);
    }
    // Number 1 is listed even if nothing was triggered yet.
    await configurations.environment();
    const found = await listConfigurations(db, { after: cursor ?? 0, limit: limit + 1 });
    const configs = found.slice(0, limit).map(configurationViewOf);
    return c.json({ configs, next_cursor: found.length > limit ? String(configs.at(-1)?.id) : null }, 200);
  });
}

const createConfigurationRoute = createRoute({
  method: 'post',
  path: '/configs',
  operationId: 'createConfiguration',
  ...needs('configure'),
  tags: ['configurations'],
  summary: 'Create a build configuration',
  request: { headers: idempotencyHeader, body: jsonBody(configurationBody) },
  responses: {
    201: jsonResponse('Its first version', configurationView, headersOfNew('the configuration', { ETag: etagHeader })),
    ...problems(
      ...BODY_PROBLEMS,
      ...IDEMPOTENCY_PROBLEMS,
      'configuration_name_taken',
      'configuration_of_environment',
      'not_supported',
      'database_unavailable',
    ),
  },
});

export function postConfigurations(api: Api, deps: ChangeDependencies): void {
  api.openapi(createConfigurationRoute, async (c) => {
    const { name, ...content } = c.req.valid('json');
    const to = { name, content };
    const edit = { target: 'new', to, caller: c.var.caller, expects: () => true, key: idempotencyKeyOf(c) } as const;
    const { configuration, replayed } = await changeConfiguration(deps, edit);
    if (replayed) c.header('Idempotent-Replayed', 'true');
    c.var.log.info({ config_id: configuration.id, name }, 'build configuration made');
    c.header('Location', `/configs/${configuration.id}`);
    c.header('ETag', etagOf(configuration.version));
    return c.json(configurationViewOf(configuration), 201);
  });
}
