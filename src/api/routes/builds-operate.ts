import { createRoute, type z } from '@hono/zod-openapi';
import type { OperateDependencies } from '../../commands/builds/operate-build.ts';
import { fittingBuilds, type ManyOperation, operateBuild } from '../../commands/builds/operate-builds.ts';
import { manyBuilds, manyBuildsAnswer, manyBuildsDryRun } from '../../contracts/builds/many-builds.ts';
import { buildSummaryOf } from '../../domain/builds/build-view.ts';
import type { Api, ApiContext } from '../environment.ts';
import { answerMany } from '../operate-many.ts';
import { jsonBody, jsonResponse, MANY_PROBLEMS, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const shared = {
  method: 'post' as const,
  ...needs('operate', 'handler'),
  tags: ['builds'],
  request: { body: jsonBody(manyBuilds) },
  responses: {
    200: jsonResponse('A dry run: how many match, and the first of them', manyBuildsDryRun),
    202: jsonResponse('What became of each', manyBuildsAnswer),
    ...problems(...MANY_PROBLEMS),
  },
};

const cancelRoute = createRoute({
  ...shared,
  path: '/builds/cancel',
  operationId: 'cancelBuilds',
  summary: 'Cancel all builds that match a filter, the newest first',
  description:
    'Of the builds that match, this cancels those that have not ended. With `dry_run`, nothing changes. Send the request again until `more` is false or `done` is empty.',
});

const retryRoute = createRoute({
  ...shared,
  path: '/builds/retry',
  operationId: 'retryBuilds',
  summary: 'Retry all failed builds that match a filter, the newest first',
  description:
    'Each is retried as by POST /builds/{id}/retry without a mode: a build without a known run, or on a forge that cannot re-run one (Forgejo), sends another dispatch, so check first that no run of it is going. Builds that need attention are left out: each needs a person to say that no run exists. With `dry_run`, nothing changes. Send the request again until `more` is false or `done` is empty.',
});

/** Cancels or retries many builds. */
export function operateManyBuilds(api: Api, deps: OperateDependencies): void {
  api.openapi(cancelRoute, (c) => operate(c, deps, 'cancel', c.req.valid('json')));
  api.openapi(retryRoute, (c) => operate(c, deps, 'retry', c.req.valid('json')));
}

async function operate(
  c: ApiContext,
  deps: OperateDependencies,
  operation: ManyOperation,
  { ids, limit, dry_run, ...filter }: z.output<typeof manyBuilds>,
) {
  const { principal, caller } = c.var;
  const which = ids ? { ids } : { filter: { ...filter, within: principal.reach?.repositories } };
  const found = await fittingBuilds(deps, operation, which, limit);
  for (const { request } of found.items) principal.requireRepository(request.repository);
  const asked = { operation, nouns: 'builds', dry_run };
  return answerMany(c, found, asked, buildSummaryOf, (id) => operateBuild(deps, operation, id, caller));
}
