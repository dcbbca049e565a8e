import { createRoute } from '@hono/zod-openapi';
import { pauseSchedule, resumeSchedule } from '../../commands/schedules/change-schedule.ts';
import type { MakeDependencies } from '../../commands/schedules/make-scheduled.ts';
import { listNextTimes } from '../../commands/schedules/next-times.ts';
import { triggerSchedule } from '../../commands/schedules/trigger-schedule.ts';
import {
  firedAnswer,
  nextTimes,
  scheduleNote,
  scheduleParam,
  scheduleView,
} from '../../contracts/schedules/schedule.ts';
import { scheduleViewOf } from '../../domain/schedules/schedule-view.ts';
import type { Api } from '../environment.ts';
import { IDEMPOTENCY_PROBLEMS, idempotencyHeader, idempotencyKeyOf, replayedHeader } from '../idempotency.ts';
import { jsonResponse, OPERATION_PROBLEMS, optionalJsonBody, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const tags = ['schedules'];
const OPERATIONS = [
  {
    ...{ verb: 'pause', done: 'paused', change: pauseSchedule, summary: 'Pause a schedule' },
    description: 'It does not fire until it is resumed. Pausing a paused schedule changes nothing.',
  },
  {
    ...{ verb: 'resume', done: 'resumed', change: resumeSchedule, summary: 'Resume a schedule' },
    description: 'Times that passed while it was paused are not caught up.',
  },
] as const;

const triggerRoute = createRoute({
  method: 'post',
  path: '/schedules/{name}/trigger',
  operationId: 'triggerSchedule',
  ...needs('trigger'),
  tags,
  summary: 'Fire a schedule now',
  description:
    'This fires even if it is paused, and whatever `overlap` says. The same Idempotency-Key of the same caller fires it once.',
  request: { params: scheduleParam, headers: idempotencyHeader },
  responses: {
    202: jsonResponse('What it made', firedAnswer, replayedHeader),
    ...problems(
      ...OPERATION_PROBLEMS,
      ...IDEMPOTENCY_PROBLEMS,
      'cross_site',
      'unknown_configuration',
      'configuration_retired',
      'missing_field',
      'unprocessable_callback_url',
      'unprocessable_inputs',
    ),
  },
});

const nextRoute = createRoute({
  method: 'get',
  path: '/schedules/{name}/next',
  operationId: 'listNextTimes',
  ...needs('read'),
  tags,
  summary: 'List the next times of a schedule',
  description: 'Without jitter. A paused schedule does not fire at them.',
  request: { params: scheduleParam },
  responses: {
    200: jsonResponse('The next times', nextTimes),
    ...problems('invalid_request', 'not_found', 'temporal_unavailable', 'database_unavailable'),
  },
});

export function operateSchedule(api: Api, deps: MakeDependencies): void {
  for (const { verb, done, change, ...words } of OPERATIONS) {
    const route = createRoute({
      method: 'post',
      path: `/schedules/{name}/${verb}`,
      operationId: `${verb}Schedule`,
      ...needs('operate'),
      tags,
      ...words,
      request: { params: scheduleParam, body: optionalJsonBody(scheduleNote) },
      responses: {
        200: jsonResponse('The schedule as it is now', scheduleView),
        ...problems(...OPERATION_PROBLEMS, 'cross_site'),
      },
    });
    api.openapi(route, async (c) => {
      const { name } = c.req.valid('param');
      const schedule = await change(deps, name, c.var.caller, c.req.valid('json')?.note);
      c.var.log.info({ schedule: name }, `schedule ${done}`);
      return c.json(scheduleViewOf(schedule), 200);
    });
  }
  api.openapi(triggerRoute, async (c) => {
    const { name } = c.req.valid('param');
    const fired = await triggerSchedule(deps, name, c.var.caller, idempotencyKeyOf(c));
    c.var.log.info({ schedule: name, made: fired.made.length }, 'schedule fired by hand');
    if (fired.made.every(({ replayed }) => replayed)) c.header('Idempotent-Replayed', 'true');
    return c.json(fired, 202);
  });
  api.openapi(nextRoute, async (c) => {
    return c.json({ times: await listNextTimes(deps, c.req.valid('param').name) }, 200);
  });
}
