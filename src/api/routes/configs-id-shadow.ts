import { createRoute } from '@hono/zod-openapi';
import { compareShadow, type ShadowDependencies } from '../../commands/builds/compare-shadow.ts';
import type { Configurations } from '../../commands/configurations/configurations.ts';
import { configurationIdParam } from '../../contracts/builds/configuration.ts';
import { shadowQuery, shadowReport } from '../../contracts/builds/shadow.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/configs/{id}/shadow',
  operationId: 'compareShadow',
  ...needs('operate', 'handler'),
  tags: ['configurations'],
  summary: 'Compare what Hapax would have dispatched with the runs that another program started',
  description:
    'For configurations with the dispatch `shadow`. Each request reads the list of runs of the repository, at most 1,000 of them.',
  request: { params: configurationIdParam, query: shadowQuery },
  responses: {
    200: jsonResponse('The comparison', shadowReport),
    ...problems('invalid_request', 'not_found', 'credential_missing', 'forge_unavailable', 'database_unavailable'),
  },
});

export function getShadowReport(api: Api, deps: ShadowDependencies & { configurations: Configurations }): void {
  api.openapi(route, async (c) => {
    const configuration = await deps.configurations.existing(c.req.valid('param').id);
    c.var.principal.requireRepository(configuration.definition.repository);
    return c.json(await compareShadow(deps, configuration, c.req.valid('query').since), 200);
  });
}
