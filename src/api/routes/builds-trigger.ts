import { createRoute } from '@hono/zod-openapi';
import { type TriggerDependencies, triggerBuild } from '../../commands/builds/trigger-build.ts';
import { triggerAnswer, triggerBody } from '../../contracts/builds/build.ts';
import type { Api } from '../environment.ts';
import { headersOfNew, IDEMPOTENCY_PROBLEMS, idempotencyHeader, idempotencyKeyOf } from '../idempotency.ts';
import type { ApiMeter } from '../meter.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

export const TRIGGER_PATH = '/builds/trigger';

const route = createRoute({
  method: 'post',
  path: TRIGGER_PATH,
  operationId: 'triggerBuild',
  ...needs('trigger', 'handler'),
  tags: ['builds'],
  summary: 'Trigger a build, effectively once',
  description:
    'An equal request gets the same build: with an Idempotency-Key forever; without one while the build runs and, after a success, until the dedup window ends.',
  request: { headers: idempotencyHeader, body: jsonBody(triggerBody) },
  responses: {
    202: jsonResponse('Accepted, now or earlier', triggerAnswer, headersOfNew('the build')),
    ...problems(
      ...BODY_PROBLEMS,
      ...IDEMPOTENCY_PROBLEMS,
      'unknown_configuration',
      'configuration_retired',
      'repository_not_allowed',
      'credential_missing',
      'missing_field',
      'unprocessable_inputs',
      'unprocessable_callback_url',
      'still_closing',
      'temporal_unavailable',
      'database_unavailable',
    ),
  },
});

export function postBuildsTrigger(api: Api, { meter, ...deps }: TriggerDependencies & { meter: ApiMeter }): void {
  api.openapi(route, async (c) => {
    const { caller, principal } = c.var;
    const trigger = { body: c.req.valid('json'), caller, idempotencyKey: idempotencyKeyOf(c), principal };
    const build = await triggerBuild(deps, trigger);
    meter.buildAccepted({ ...trigger, replayed: build.replayed });
    c.var.log.info({ build_id: build.id, replayed: build.replayed }, 'build triggered');
    c.header('Location', `/builds/${build.id}`);
    if (build.replayed) c.header('Idempotent-Replayed', 'true');
    const message = build.replayed ? 'Build already exists' : 'Build queued successfully';
    return c.json({ id: build.id, status: build.status, message } as const, 202);
  });
}
