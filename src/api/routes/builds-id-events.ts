import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../commands/refusal.ts';
import { buildIdParam, TERMINAL_STATUSES } from '../../contracts/builds/build.ts';
import { BUILDS, buildStream } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { findStream } from '../../store/record/stream-find.ts';
import type { Api } from '../environment.ts';
import { answerEvents, eventResponses, lastEventIdHeader, type StreamParts } from '../events/event-stream.ts';
import { problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/builds/{id}/events',
  operationId: 'listBuildEvents',
  ...needs('read', 'build'),
  tags: ['builds'],
  summary: 'List the events of a build, or stream them live',
  description:
    'With `Accept: text/event-stream`, the response has the events so far, then each new one as it happens, until the build ends. To resume after an event, send its id as `Last-Event-ID`; the response is 204 if no more events will come.',
  request: { params: buildIdParam, headers: lastEventIdHeader },
  responses: {
    ...eventResponses,
    ...problems('invalid_request', 'not_found', 'too_many_streams', 'database_unavailable'),
  },
});

export function getBuildEvents(api: Api, db: Db, parts: StreamParts): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const found = await findStream(db, BUILDS, id);
    if (!found) throw notFound(`build ${id}`);
    const { state, events } = found;
    const story = { stream: buildStream(id), status: state.status, ends: TERMINAL_STATUSES, events };
    return answerEvents(c, parts, story, c.req.valid('header')['last-event-id']) as never;
  });
}
