import { createRoute } from '@hono/zod-openapi';
import { adoptRun, cancelBuild, type OperateDependencies, retryBuild } from '../../commands/builds/operate-build.ts';
import { buildIdParam } from '../../contracts/builds/build.ts';
import { adoptBody, operatorAnswer, retryBody } from '../../contracts/builds/operator.ts';
import type { Api } from '../environment.ts';
import { OPERATION_PROBLEMS, problemResponses } from '../responses.ts';

const accepted = { description: 'Accepted', content: { 'application/json': { schema: operatorAnswer } } };
const withBody = { 202: accepted, ...problemResponses(...OPERATION_PROBLEMS) };
const withoutBody = { 202: accepted, ...problemResponses(...OPERATION_PROBLEMS, 'cross_site') };

const cancelRoute = createRoute({
  method: 'post',
  path: '/builds/{id}/cancel',
  operationId: 'cancelBuild',
  tags: ['builds'],
  summary: 'Cancel a build',
  description: 'Before its dispatch nothing is sent; after it the run is cancelled and followed to its end.',
  request: { params: buildIdParam },
  responses: withoutBody,
});

const retryRoute = createRoute({
  method: 'post',
  path: '/builds/{id}/retry',
  operationId: 'retryBuild',
  tags: ['builds'],
  summary: 'Begin a failed build again',
  description: 'A build that needs attention is told that no run was made, and sends another dispatch.',
  request: { params: buildIdParam, body: { content: { 'application/json': { schema: retryBody } } } },
  responses: withoutBody,
});

const adoptRoute = createRoute({
  method: 'post',
  path: '/builds/{id}/adopt',
  operationId: 'adoptRun',
  tags: ['builds'],
  summary: 'Tell a build that needs attention which run is its own',
  description:
    'The build looks at the run first. Where the repository has none of this number, it asks again: its `reason` says so.',
  request: { params: buildIdParam, body: { required: true, content: { 'application/json': { schema: adoptBody } } } },
  responses: withBody,
});

export function operateBuild(api: Api, deps: OperateDependencies): void {
  api.openapi(cancelRoute, async (c) => {
    const { id, status } = await cancelBuild(deps, c.req.valid('param').id, c.var.caller);
    c.var.log.info({ build_id: id }, 'cancel requested');
    return c.json({ id, status, message: 'Cancel requested' }, 202);
  });
  api.openapi(retryRoute, async (c) => {
    const { mode } = c.req.valid('json') ?? {};
    const { id, status } = await retryBuild(deps, c.req.valid('param').id, mode, c.var.caller);
    c.var.log.info({ build_id: id, mode }, 'retry requested');
    return c.json({ id, status, message: 'Build queued again' }, 202);
  });
  api.openapi(adoptRoute, async (c) => {
    const { run_id } = c.req.valid('json');
    const { id, status } = await adoptRun(deps, c.req.valid('param').id, { run_id });
    c.var.log.info({ build_id: id, run_id }, 'adoption requested');
    return c.json({ id, status, message: 'Adoption requested' }, 202);
  });
}
