import { isUtf8 } from 'node:buffer';
import { createRoute, z } from '@hono/zod-openapi';
import { readTextCursor, writeCursor } from '../../commands/cursor.ts';
import {
  countMany,
  discardDeadLetter,
  discardMany,
  findDeadLetter,
  type RedriveDependencies,
  redriveDeadLetter,
  redriveMany,
} from '../../commands/lifecycle/redrive.ts';
import {
  type DeadLetterView,
  deadLetterCauses,
  deadLetterCausesQuery,
  deadLetterIdParam,
  deadLetterPage,
  deadLetterQuery,
  deadLetterStory,
  discardAnswer,
  discardBody,
  dryRunAnswer,
  redriveAnswer,
  redriveBody,
  redriven,
} from '../../contracts/builds/operator.ts';
import { buildSummaryOf } from '../../domain/builds/build-view.ts';
import { eventViewOf } from '../../domain/record/event-view.ts';
import { taskSummaryOf } from '../../domain/tasks/task-view.ts';
import { countDeadLetters } from '../../store/endings/dead-letter-count.ts';
import {
  type DeadLetter,
  deadLetterIdOf,
  type ListedDeadLetter,
  listDeadLetters,
} from '../../store/endings/dead-letter-list.ts';
import type { Api } from '../environment.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems, RESTART_PROBLEMS } from '../responses.ts';
import { needs } from '../rights.ts';

const tags = ['dead letters'];

const listRoute = createRoute({
  method: 'get',
  path: '/dlq',
  operationId: 'listDeadLetters',
  ...needs('read'),
  tags,
  summary: 'List dead letters: what failed after its last retry, or waits for an operator; newest first',
  request: { query: deadLetterQuery },
  responses: { 200: jsonResponse('One page', deadLetterPage), ...problems('invalid_request', 'database_unavailable') },
});

const getRoute = createRoute({
  method: 'get',
  path: '/dlq/{id}',
  operationId: 'getDeadLetter',
  ...needs('read'),
  tags,
  summary: 'Get a dead letter with all its events',
  request: { params: deadLetterIdParam },
  responses: {
    200: jsonResponse('The dead letter', deadLetterStory),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

const redriveRoute = createRoute({
  method: 'post',
  path: '/dlq/{id}/redrive',
  operationId: 'redriveDeadLetter',
  ...needs('operate'),
  tags,
  summary: 'Redrive a dead letter',
  description:
    'A build with a known run follows that run, takes its success, or runs it again. A build without one sends another dispatch: check first that no run of it is going, or the workflow runs twice. For a build that needs attention, this asserts that no run exists. A task starts again with new retries. A message is published again.',
  request: { params: deadLetterIdParam },
  responses: { 202: jsonResponse('Accepted', redriven), ...problems(...RESTART_PROBLEMS, 'cross_site') },
});

const causesRoute = createRoute({
  method: 'get',
  path: '/dlq/causes',
  operationId: 'countDeadLetters',
  ...needs('read'),
  tags,
  summary: 'Count dead letters by cause',
  request: { query: deadLetterCausesQuery },
  responses: {
    200: jsonResponse('How many, by cause', deadLetterCauses),
    ...problems('invalid_request', 'database_unavailable'),
  },
});

const dryRun = jsonResponse('A dry run: how many match, and the first of them', dryRunAnswer);

const redriveManyRoute = createRoute({
  method: 'post',
  path: '/dlq/redrive',
  operationId: 'redriveDeadLetters',
  ...needs('operate'),
  tags,
  summary: 'Redrive all dead letters that match a filter, the newest first',
  description:
    'This includes builds that need attention, for which it asserts that no run exists, and builds whose run may still be going. With `dry_run`, nothing changes. Send the request again until `redriven` is empty, or with `next_cursor` until that is null.',
  request: { body: jsonBody(redriveBody) },
  responses: {
    200: dryRun,
    202: jsonResponse('Which were redriven and which were refused', redriveAnswer),
    ...problems(...BODY_PROBLEMS, 'database_unavailable', 'temporal_unavailable'),
  },
});

const discardManyRoute = createRoute({
  method: 'post',
  path: '/dlq/discard',
  operationId: 'discardDeadLetters',
  ...needs('operate'),
  tags,
  summary: 'Discard all dead letters that match a filter, the newest first',
  description:
    'They leave the list. The builds, tasks, messages and their events stay. Builds that need attention are refused. With `dry_run`, nothing changes.',
  request: { body: jsonBody(discardBody) },
  responses: {
    200: jsonResponse(
      'Which were discarded and which were refused; or what a dry run found',
      z.union([discardAnswer, dryRunAnswer]),
    ),
    ...problems(...BODY_PROBLEMS, 'database_unavailable'),
  },
});

const discardRoute = createRoute({
  method: 'delete',
  path: '/dlq/{id}',
  operationId: 'discardDeadLetter',
  ...needs('operate'),
  tags,
  summary: 'Discard a dead letter',
  description: 'It leaves the list. The build, task or message and its events stay.',
  request: { params: deadLetterIdParam },
  responses: {
    204: { description: 'Discarded' },
    ...problems('invalid_request', 'not_found', 'state_conflict', 'database_unavailable'),
  },
});

export function deadLetters(api: Api, deps: RedriveDependencies): void {
  api.openapi(listRoute, async (c) => {
    const { cursor, ...filter } = c.req.valid('query');
    const { items, end } = await listDeadLetters(deps.db, { ...filter, after: readTextCursor(cursor) });
    return c.json({ dead_letters: items.map(viewOf), next_cursor: writeCursor(end) }, 200);
  });
  api.openapi(causesRoute, async (c) => c.json(await countDeadLetters(deps.db, c.req.valid('query')), 200));
  api.openapi(discardManyRoute, async (c) => {
    const many = c.req.valid('json');
    if (many.dry_run) return c.json(dryRunOf(await countMany(deps, many)), 200);
    const answer = await discardMany(deps, many, c.var.caller);
    c.var.log.info({ discarded: answer.discarded.length, refused: answer.refused.length }, 'dead letters discarded');
    return c.json(answer, 200);
  });
  api.openapi(redriveManyRoute, async (c) => {
    const many = c.req.valid('json');
    if (many.dry_run) return c.json(dryRunOf(await countMany(deps, many)), 200);
    const answer = await redriveMany(deps, many, c.var.caller);
    c.var.log.info({ redriven: answer.redriven.length, refused: answer.refused.length }, 'dead letters redriven');
    return c.json(answer, 202);
  });
  api.openapi(getRoute, async (c) => {
    const { letter, events } = await findDeadLetter(deps, c.req.valid('param').id);
    return c.json(storyOf(letter, events.map(eventViewOf)), 200);
  });
  api.openapi(redriveRoute, async (c) => {
    const letter = await redriveDeadLetter(deps, c.req.valid('param').id, c.var.caller);
    c.var.log.info({ dead_letter: deadLetterIdOf(letter) }, 'dead letter redriven');
    if (letter.kind === 'message') {
      return c.json(
        { id: letter.message.id, status: 'queued' as const, message: 'Message will be published again' },
        202,
      );
    }
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

function dryRunOf({ sample, ...counted }: Awaited<ReturnType<typeof countMany>>) {
  return { ...counted, sample: sample.map(viewOf) };
}

type Story = z.infer<typeof deadLetterStory>;
type MessageView = Extract<DeadLetterView, { kind: 'message' }>;

function storyOf(letter: DeadLetter, events: Story['events']): Story {
  if (letter.kind !== 'message') return { ...viewOf(letter), events } as Story;
  const { publication, body } = letter.message;
  const bytes = Buffer.from(body, 'base64');
  return {
    ...(viewOf({ kind: 'message', message: { ...letter.message, bytes: bytes.length } }) as MessageView),
    events,
    publication: JSON.parse(publication),
    body: isUtf8(bytes) ? bytes.toString() : null,
    body_base64: body,
  };
}

function viewOf(letter: ListedDeadLetter): DeadLetterView {
  const id = deadLetterIdOf(letter);
  if (letter.kind === 'message') {
    const {
      queue,
      reason: code,
      detail,
      task_id,
      task,
      refusals,
      first_refused_at,
      created_at,
      bytes,
    } = letter.message;
    const message = { queue, code, task_id, task, bytes, refusals, first_refused_at, refused_at: created_at };
    return { id, reason: detail, needs_attention: false, kind: 'message', message };
  }
  if (letter.kind === 'task') {
    const { reason } = letter.task;
    return { id, reason, needs_attention: false, kind: 'task', task: taskSummaryOf(letter.task) };
  }
  const { reason, needs_attention } = letter.build;
  return { id, reason, needs_attention, kind: 'build', build: buildSummaryOf(letter.build) };
}
