import { createRoute } from '@hono/zod-openapi';
import {
  type DeadLetterView,
  deadLetterIdParam,
  deadLetterPage,
  deadLetterQuery,
  deadLetterStory,
  redriveAnswer,
  redriveBody,
  redriven,
} from '../../contracts/operator.ts';
import { buildSummaryOf } from '../../domain/build-view.ts';
import { eventViewOf } from '../../domain/event-view.ts';
import { taskSummaryOf } from '../../domain/task-view.ts';
import { type DeadLetter, listDeadLetters } from '../../store/dead-letter-list.ts';
import {
  deadLetterIdOf,
  discardDeadLetter,
  findDeadLetter,
  type RedriveDependencies,
  redriveDeadLetter,
  redriveMany,
} from '../commands/redrive.ts';
import { readTextCursor, writeCursor } from '../cursor.ts';
import type { Api } from '../environment.ts';
import { OPERATION_PROBLEMS, problemResponses } from '../responses.ts';

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
  summary: 'Begin it again: a build with another dispatch, a task with new retries',
  request: { params: deadLetterIdParam },
  responses: {
    202: { description: 'Accepted', content: { 'application/json': { schema: redriven } } },
    ...problemResponses(...OPERATION_PROBLEMS, 'cross_site'),
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
  summary: 'Take it off the list; the build or task and its events stay',
  request: { params: deadLetterIdParam },
  responses: {
    204: { description: 'It is off the list' },
    ...problemResponses('invalid_request', 'not_found', 'state_conflict', 'database_unavailable'),
  },
});

export function deadLetters(api: Api, deps: RedriveDependencies): void {
  api.openapi(listRoute, async (c) => {
    const { cursor, ...filter } = c.req.valid('query');
    const { items, end } = await listDeadLetters(deps.db, { ...filter, after: readTextCursor(cursor) });
    return c.json({ dead_letters: items.map(viewOf), next_cursor: writeCursor(end) }, 200);
  });
  api.openapi(redriveManyRoute, async (c) => {
    const answer = await redriveMany(deps, c.req.valid('json'), c.var.caller);
    c.var.log.info({ redriven: answer.redriven.length, refused: answer.refused.length }, 'dead letters redriven');
    return c.json(answer, 202);
  });
  api.openapi(getRoute, async (c) => {
    const { letter, events } = await findDeadLetter(deps, c.req.valid('param').id);
    return c.json({ ...viewOf(letter), events: events.map(eventViewOf) }, 200);
  });
  api.openapi(redriveRoute, async (c) => {
    const letter = await redriveDeadLetter(deps, c.req.valid('param').id, c.var.caller);
    c.var.log.info({ dead_letter: deadLetterIdOf(letter) }, 'dead letter redriven');
    const { id, status } = letter.kind === 'build' ? letter.build : letter.task;
    return c.json({ id, status, message: `${letter.kind === 'build' ? 'Build' : 'Task'} queued again` }, 202);
  });
  api.openapi(discardRoute, async (c) => {
    const { id } = c.req.valid('param');
    await discardDeadLetter(deps, id, c.var.caller);
    c.var.log.info({ dead_letter: id }, 'dead letter discarded');
    return c.body(null, 204);
  });
}

function viewOf(letter: DeadLetter): DeadLetterView {
  const id = deadLetterIdOf(letter);
  if (letter.kind === 'task') {
    const { reason } = letter.task;
    return { id, reason, needs_attention: false, kind: 'task', task: taskSummaryOf(letter.task) };
  }
  const { reason, needs_attention } = letter.build;
  return { id, reason, needs_attention, kind: 'build', build: buildSummaryOf(letter.build) };
}
