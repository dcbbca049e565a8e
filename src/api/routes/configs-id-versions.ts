import { createRoute } from '@hono/zod-openapi';
import type { Configurations } from '../../commands/configurations/configurations.ts';
import {
  configurationIdParam,
  configurationPageQuery,
  configurationVersions,
} from '../../contracts/builds/configuration.ts';
import { listConfigurationVersions } from '../../store/builds/configuration-list-versions.ts';
import type { Db } from '../../store/database.ts';
import { configurationViewOf } from '../configuration-view.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/configs/{id}/versions',
  operationId: 'listConfigurationVersions',
  ...needs('read'),
  tags: ['configurations'],
  summary: 'List all versions of a build configuration, newest first',
  request: { params: configurationIdParam, query: configurationPageQuery },
  responses: {
    200: jsonResponse('One page', configurationVersions),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function getConfigurationVersions(api: Api, db: Db, configurations: Configurations): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { limit, cursor } = c.req.valid('query');
    await configurations.existing(id);
    const found = await listConfigurationVersions(db, id, { before: cursor, limit: limit + 1 });
    const versions = found.slice(0, limit).map(configurationViewOf);
    return c.json({ versions, next_cursor: found.length > limit ? String(versions.at(-1)?.version) : null }, 200);
  });
}
