import { createRoute } from '@hono/zod-openapi';
import { existing, type OperateDependencies } from '../../commands/builds/operate-build.ts';
import { buildIdParam } from '../../contracts/builds/build.ts';
import { candidateRunsAnswer } from '../../contracts/builds/operator.ts';
import { candidatesOf } from '../../domain/builds/candidate-runs.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/builds/{id}/candidates',
  operationId: 'listCandidateRuns',
  ...needs('read', 'build'),
  tags: ['builds'],
  summary: 'List the runs that may be the run of a build that needs attention',
  description:
    'The runs that Hapax found when it looked for the run of its dispatch, at most 10. Look at each on its page, then adopt one. An empty list does not prove that no run exists: look at the list of runs of the repository too.',
  request: { params: buildIdParam },
  responses: {
    200: jsonResponse('The runs', candidateRunsAnswer),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function getCandidateRuns(api: Api, deps: Pick<OperateDependencies, 'db'>): void {
  api.openapi(route, async (c) => {
    const build = await existing(deps, c.req.valid('param').id);
    const { needs_attention, reason } = build;
    return c.json({ build_id: build.id, needs_attention, reason, candidates: candidatesOf(build) }, 200);
  });
}
