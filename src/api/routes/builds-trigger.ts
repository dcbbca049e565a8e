import { createRoute, z } from '@hono/zod-openapi';
import { idempotencyKey, triggerAnswer, triggerBody } from '../../contracts/build.ts';
import { type TriggerDependencies, triggerBuild } from '../commands/trigger-build.ts';
import type { Api } from '../environment.ts';
import type { ApiMeter } from '../meter.ts';
import { ApiError } from '../problem.ts';
import { problemResponses } from '../responses.ts';

export const TRIGGER_PATH = '/builds/trigger';

const route = createRoute({
  method: 'post',
  path: TRIGGER_PATH,
  operationId: 'triggerBuild',
  tags: ['builds'],
  summary: 'Trigger a build, effectively once',
  description:
    'The same request again gets the same build: with an Idempotency-Key for ever, without one while the build runs and within the dedup window.',
  request: {
    headers: z.object({
      'idempotency-key': z.string().optional().meta({ description: '1 to 255 printable ASCII characters.' }),
    }),
    body: { required: true, content: { 'application/json': { schema: triggerBody } } },
  },
  responses: {
    202: {
      description: 'Accepted, now or before',
      headers: z.object({
        Location: z.string().meta({ description: 'Where the build is.' }),
        'Idempotent-Replayed': z.literal('true').optional().meta({ description: 'The build existed already.' }),
      }),
      content: { 'application/json': { schema: triggerAnswer } },
    },
    ...problemResponses(
      'malformed_json',
      'invalid_request',
      'invalid_idempotency_key',
      'body_too_large',
      'unsupported_media_type',
      'idempotency_key_reused',
      'unknown_configuration',
      'configuration_retired',
      'missing_field',
      'unprocessable_inputs',
      'unprocessable_callback_url',
      'temporal_unavailable',
      'database_unavailable',
    ),
  },
});

export function postBuildsTrigger(api: Api, { meter, ...deps }: TriggerDependencies & { meter: ApiMeter }): void {
  api.openapi(route, async (c) => {
    const given = c.req.valid('header')['idempotency-key'];
    const key = idempotencyKey.optional().safeParse(given);
    if (!key.success)
      throw new ApiError('invalid_idempotency_key', { detail: 'it must be 1 to 255 printable ASCII characters' });
    const build = await triggerBuild(deps, {
      body: c.req.valid('json'),
      caller: c.var.caller,
      idempotencyKey: key.data,
    });
    meter.buildAccepted(build.replayed);
    c.var.log.info({ build_id: build.id, replayed: build.replayed }, 'build triggered');
    c.header('Location', `/builds/${build.id}`);
    if (build.replayed) c.header('Idempotent-Replayed', 'true');
    const message = build.replayed ? 'Build already exists' : 'Build queued successfully';
    return c.json({ id: build.id, status: build.status, message } as const, 202);
  });
}
