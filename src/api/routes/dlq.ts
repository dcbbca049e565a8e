import { createRoute } from '@hono/zod-openapi';
import {
  deadLetterIdParam,
  deadLetterPage,
  deadLetterQuery,
  deadLetterStory,
  operatorAnswer,
  redriveAnswer,
  redriveBody,
} from '../../contracts/operator.ts';
import type { Build } from '../../domain/build.ts';
import { buildSummaryOf, eventViewOf } from '../../domain/build-view.ts';
import { listBuilds } from '../../store/build-list.ts';
import { buildStream } from '../../store/build-stream.ts';
import type { OperateDependencies } from '../commands/operate-build.ts';
import { deadBuildWithEvents, discardDeadLetter, redriveBuild, redriveMany } from '../commands/redrive.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import type { Api } from '../environment.ts';
import { problemResponses } from '../responses.ts';

const tags = ['dead letters'];

const listRoute = createRoute({
  method: 'get',
  path: '/dlq',
  operationId: 'listDeadLetters',
  tags,
  summary: 'What ended after its last retry or waits for an operator, newest first',
  request: { query: deadLetterQuery },
  responses: {
    200: { description: 'One page', content: { 'application/json': { schema: deadLetterPage } } },
    ...problemResponses('invalid_request', 'database_unavailable'),
  },
});

const getRoute = createRoute({
  method: 'get',
  path: '/dlq/{id}',
  operationId: 'getDeadLetter',
  tags,
  summary: 'A dead letter with its whole story',
  request: { params: deadLetterIdParam },
  responses: {
    200: { description: 'The dead letter', content: { 'application/json': { schema: deadLetterStory } } },
    ...problemResponses('invalid_request', 'not_found', 'database_unavailable'),
  },
});

const redriveRoute = createRoute({
  method: 'post',
  path: '/dlq/{id}/redrive',
  operationId: 'redriveDeadLetter',
  tags,
  summary: 'Begin it again, with another dispatch',
  request: { params: deadLetterIdParam },
  responses: {
    202: { description: 'Accepted', content: { 'application/json': { schema: operatorAnswer } } },
    ...problemResponses(
      'invalid_request',
      'not_found',
      'state_conflict',
      'temporal_unavailable',
      'database_unavailable',
    ),
  },
});

const redriveManyRoute = createRoute({
  method: 'post',
  path: '/dlq/redrive',
  operationId: 'redriveDeadLetters',
  tags,
  summary: 'Begin all that match again',
  request: { body: { required: true, content: { 'application/json': { schema: redriveBody } } } },
  responses: {
    202: {
      description: 'Which were accepted and which not',
      content: { 'application/json': { schema: redriveAnswer } },
    },
    ...problemResponses(
      'malformed_json',
      'invalid_request',
      'body_too_large',
      'unsupported_media_type',
      'temporal_unavailable',
      'database_unavailable',
    ),
  },
});

const discardRoute = createRoute({
  method: 'delete',
  path: '/dlq/{id}',
  operationId: 'discardDeadLetter',
  tags,
  summary: 'Take it off the list; the build and its events stay',
  request: { params: deadLetterIdParam },
  responses: {
    204: { description: 'It is off the list' },
    ...problemResponses('invalid_request', 'not_found', 'state_conflict', 'database_unavailable'),
  },
});

export function deadLetters(api: Api, deps: OperateDependencies): void {
  api.openapi(listRoute, async (c) => {
    const { cursor, ...filter } = c.req.valid('query');
    const after = cursor === undefined ? {} : { after: readCursor(cursor) };
    const { builds, end } = await listBuilds(deps.db, { ...filter, ...after, dead: true });
    return c.json({ dead_letters: builds.map(deadLetterOf), next_cursor: end ? writeCursor(end) : null }, 200);
  });
  api.openapi(redriveManyRoute, async (c) => {
    const answer = await redriveMany(deps, c.req.valid('json'), c.var.caller);
    c.var.log.info({ redriven: answer.redriven.length, refused: answer.refused.length }, 'dead letters redriven');
    return c.json(answer, 202);
  });
  api.openapi(getRoute, async (c) => {
    const { build, events } = await deadBuildWithEvents(deps, c.req.valid('param').id);
    return c.json({ ...deadLetterOf(build), events: events.map(eventViewOf) }, 200);
  });
  api.openapi(redriveRoute, async (c) => {
    const { id, status } = await redriveBuild(deps, c.req.valid('param').id, c.var.caller);
    c.var.log.info({ build_id: id }, 'dead letter redriven');
    return c.json({ id, status, message: 'Build queued again' }, 202);
  });
  api.openapi(discardRoute, async (c) => {
    const { id } = await discardDeadLetter(deps, c.req.valid('param').id, c.var.caller);
    c.var.log.info({ build_id: id }, 'dead letter discarded');
    return c.body(null, 204);
  });
}

function deadLetterOf(build: Build) {
  const { id, reason, needs_attention } = build;
  return { id: buildStream(id), kind: 'build' as const, reason, needs_attention, build: buildSummaryOf(build) };
}
