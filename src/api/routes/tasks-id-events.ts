import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../commands/refusal.ts';
import { ENDED_TASK_STATUSES, taskIdParam } from '../../contracts/tasks/task.ts';
import type { Db } from '../../store/database.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { TASKS, taskStream } from '../../store/tasks/task-stream.ts';
import type { Api } from '../environment.ts';
import { answerEvents, eventResponses, lastEventIdHeader, type StreamParts } from '../events/event-stream.ts';
import { problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/tasks/{id}/events',
  operationId: 'listTaskEvents',
  ...needs('read', 'task'),
  tags: ['tasks'],
  summary: 'List the events of a task, or stream them live',
  description: 'With `Accept: text/event-stream`, a live stream until the task ends, as for builds.',
  request: { params: taskIdParam, headers: lastEventIdHeader },
  responses: {
    ...eventResponses,
    ...problems('invalid_request', 'not_found', 'too_many_streams', 'database_unavailable'),
  },
});

export function getTaskEvents(api: Api, db: Db, parts: StreamParts): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const found = await findStream(db, TASKS, id);
    if (!found) throw notFound(`task ${id}`);
    const { state, events } = found;
    const story = { stream: taskStream(id), status: state.status, ends: ENDED_TASK_STATUSES, events };
    return answerEvents(c, parts, story, c.req.valid('header')['last-event-id']) as never;
  });
}
