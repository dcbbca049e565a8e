import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../commands/refusal.ts';
import { buildIdParam, TERMINAL_STATUSES } from '../../contracts/builds/build.ts';
import { BUILDS, buildStream } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { findStream } from '../../store/record/stream-find.ts';
import type { Api } from '../environment.ts';
import { answerEvents, eventResponses, lastEventIdHeader } from '../event-stream.ts';
import type { EventTail } from '../event-tail.ts';
import { problemResponses } from '../responses.ts';

const route = createRoute({
  method: 'get',
  path: '/builds/{id}/events',
  operationId: 'listBuildEvents',
  tags: ['builds'],
  summary: 'The events of a build, or a live stream of them',
  description:
    'With `Accept: text/event-stream` the events so far are sent, then each as it happens; the stream closes at the end of the build. Reconnecting with `Last-Event-ID` resumes after that event, and answers 204 where nothing will come.',
  request: {
    params: buildIdParam,
    headers: lastEventIdHeader,
  },
  responses: { ...eventResponses, ...problemResponses('invalid_request', 'not_found', 'database_unavailable') },
});

export function getBuildEvents(api: Api, db: Db, tail: EventTail): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const found = await findStream(db, BUILDS, id);
    if (!found) throw notFound(`build ${id}`);
    const { state, events } = found;
    const story = { stream: buildStream(id), status: state.status, ends: TERMINAL_STATUSES, events };
    return answerEvents(c, tail, story, c.req.valid('header')['last-event-id']) as never;
  });
}
