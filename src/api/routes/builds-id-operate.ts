import { createRoute } from '@hono/zod-openapi';
import { adoptRun, cancelBuild, type OperateDependencies, retryBuild } from '../../commands/builds/operate-build.ts';
import { buildIdParam } from '../../contracts/builds/build.ts';
import { adoptBody, operatorAnswer, retryBody } from '../../contracts/builds/operator.ts';
import type { Api } from '../environment.ts';
import {
  jsonBody,
  jsonResponse,
  OPERATION_PROBLEMS,
  optionalJsonBody,
  problems,
  RESTART_PROBLEMS,
} from '../responses.ts';
import { needs } from '../rights.ts';

const accepted = jsonResponse('Accepted', operatorAnswer);
const withBody = { 202: accepted, ...problems(...OPERATION_PROBLEMS) };
const withoutBody = { 202: accepted, ...problems(...OPERATION_PROBLEMS, 'cross_site') };

const cancelRoute = createRoute({
  method: 'post',
  path: '/builds/{id}/cancel',
  operationId: 'cancelBuild',
  ...needs('operate', 'build'),
  tags: ['builds'],
  summary: 'Cancel a build',
  description:
    'If the dispatch was not sent yet, it never is. If there is a run, Hapax cancels it at GitHub. Once GitHub has taken that, Hapax waits up to ten minutes for its end. If somebody terminated the Temporal workflow of the build, this only records the end of the build: its run goes on.',
  request: { params: buildIdParam },
  responses: withoutBody,
});

const retryRoute = createRoute({
  method: 'post',
  path: '/builds/{id}/retry',
  operationId: 'retryBuild',
  ...needs('operate', 'build'),
  tags: ['builds'],
  summary: 'Retry a failed build',
  description:
    'For a build that needs attention, this asserts that no run exists: the build sends another dispatch, and `mode` is ignored. If a run exists after all, the workflow runs twice.',
  request: { params: buildIdParam, body: optionalJsonBody(retryBody) },
  responses: { 202: accepted, ...problems(...RESTART_PROBLEMS, 'cross_site') },
});

const adoptRoute = createRoute({
  method: 'post',
  path: '/builds/{id}/adopt',
  operationId: 'adoptRun',
  ...needs('operate', 'build'),
  tags: ['builds'],
  summary: 'Adopt a run for a build that needs attention',
  description:
    'The build then follows this run. Hapax checks that the repository has a run with this number; if it has none, the build keeps waiting, and its `reason` says so. Hapax does not check that the run belongs to the build.',
  request: { params: buildIdParam, body: jsonBody(adoptBody) },
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
