import { createRoute } from '@hono/zod-openapi';
import { changeSchedule, deleteSchedule, existingSchedule } from '../../commands/schedules/change-schedule.ts';
import type { MakeDependencies } from '../../commands/schedules/make-scheduled.ts';
import { putScheduleQuery, scheduleBody, scheduleParam, scheduleView } from '../../contracts/schedules/schedule.ts';
import { scheduleViewOf } from '../../domain/schedules/schedule-view.ts';
import type { Api } from '../environment.ts';
import { etagHeader, etagOf, ifMatch, ifMatchHeader } from '../etag.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const tags = ['schedules'];

const version = (description: string) => jsonResponse(description, scheduleView, { ETag: etagHeader });

const readRoute = createRoute({
  method: 'get',
  path: '/schedules/{name}',
  operationId: 'getSchedule',
  ...needs('read'),
  tags,
  summary: 'Get a schedule',
  description: 'Its events are at `GET /events?stream=schedule:<name>`.',
  request: { params: scheduleParam },
  responses: { 200: version('The schedule'), ...problems('invalid_request', 'not_found', 'database_unavailable') },
});

const putRoute = createRoute({
  method: 'put',
  path: '/schedules/{name}',
  operationId: 'putSchedule',
  ...needs('configure'),
  tags,
  summary: 'Create the schedule with this name, or change it',
  description:
    'What the body leaves out gets its default. An equal body changes nothing. A paused schedule stays paused. If Temporal cannot be reached (503), the change may have been recorded: send it again.',
  request: { params: scheduleParam, query: putScheduleQuery, headers: ifMatchHeader, body: jsonBody(scheduleBody) },
  responses: {
    200: version('The schedule as it is now'),
    201: version('The new schedule'),
    ...problems(
      ...BODY_PROBLEMS,
      'state_conflict',
      'precondition_failed',
      'unknown_task',
      'unknown_configuration',
      'configuration_retired',
      'missing_field',
      'unprocessable_inputs',
      'temporal_unavailable',
      'database_unavailable',
    ),
  },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/schedules/{name}',
  operationId: 'deleteSchedule',
  ...needs('configure'),
  tags,
  summary: 'Delete a schedule',
  description: 'Its builds and tasks go on, and its events stay. A PUT creates a schedule of this name again.',
  request: { params: scheduleParam, headers: ifMatchHeader },
  responses: {
    204: { description: 'It is deleted' },
    ...problems('invalid_request', 'not_found', 'precondition_failed', 'temporal_unavailable', 'database_unavailable'),
  },
});

export function scheduleByName(api: Api, deps: MakeDependencies): void {
  api.openapi(readRoute, async (c) => {
    const schedule = await existingSchedule(deps, c.req.valid('param').name);
    c.header('ETag', etagOf(schedule.version));
    return c.json(scheduleViewOf(schedule), 200);
  });
  api.openapi(putRoute, async (c) => {
    const { name } = c.req.valid('param');
    const expects = ifMatch(c.req.valid('header')['if-match']);
    const dryRun = c.req.valid('query').dry_run === 'true';
    const edit = { name, definition: c.req.valid('json'), caller: c.var.caller, expects, dryRun };
    const { schedule, created } = await changeSchedule(deps, edit);
    if (!dryRun) c.var.log.info({ schedule: name, version: schedule.version }, 'schedule saved');
    c.header('ETag', etagOf(schedule.version));
    return c.json(scheduleViewOf(schedule), created ? 201 : 200);
  });
  api.openapi(deleteRoute, async (c) => {
    const { name } = c.req.valid('param');
    await deleteSchedule(deps, name, c.var.caller, ifMatch(c.req.valid('header')['if-match']));
    c.var.log.info({ schedule: name }, 'schedule deleted');
    return c.body(null, 204);
  });
}
