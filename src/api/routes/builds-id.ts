import { createRoute } from '@hono/zod-openapi';
import { buildIdParam, buildView } from '../../contracts/build.ts';
import { findBuild } from '../../store/build-find.ts';
import type { Db } from '../../store/database.ts';
import { buildStream } from '../../store/event-append.ts';
import { listEvents } from '../../store/event-list-by-stream.ts';
import { buildSummaryOf, eventViewOf } from '../build-view.ts';
import type { Api } from '../environment.ts';
import { ApiError } from '../problem.ts';
import { problemResponses } from '../responses.ts';

const route = createRoute({
  method: 'get',
  path: '/builds/{id}',
  operationId: 'getBuild',
  tags: ['builds'],
  summary: 'One build with its events',
  request: { params: buildIdParam },
  responses: {
    200: { description: 'The build', content: { 'application/json': { schema: buildView } } },
    ...problemResponses('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function getBuild(api: Api, db: Db): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const [build, events] = await Promise.all([findBuild(db, id), listEvents(db, buildStream(id))]);
    if (!build) throw new ApiError('not_found', { detail: `there is no build ${id}` });
    return c.json({ ...buildSummaryOf(build), events: events.map(eventViewOf) }, 200);
  });
}
