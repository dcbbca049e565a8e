import { createRoute } from '@hono/zod-openapi';
import { readNumberCursor, writeCursor } from '../../commands/cursor.ts';
import { buildListQuery, buildPage } from '../../contracts/builds/build.ts';
import { buildSummaryOf } from '../../domain/builds/build-view.ts';
import { countBuilds } from '../../store/builds/build-count.ts';
import { listBuilds, matchesUnchanging } from '../../store/builds/build-list.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { listStreamsAt } from '../../store/record/stream-list-at.ts';
import { refuseWithAt } from '../at.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/builds',
  operationId: 'listBuilds',
  ...needs('read', 'handler'),
  tags: ['builds'],
  summary: 'List builds, newest first, now or at an earlier time',
  description:
    'With `at`: the builds that existed at that time, as they were then. Pass `at` again with the cursor. With `at`, a filter for a rare status is slow.',
  request: { query: buildListQuery },
  responses: { 200: jsonResponse('One page', buildPage), ...problems('invalid_request', 'database_unavailable') },
});

export function getBuilds(api: Api, db: Db): void {
  api.openapi(route, async (c) => {
    const { cursor, at, count: wantsCount, limit, ...given } = c.req.valid('query');
    const filter = { ...given, within: c.var.principal.reach?.repositories };
    const { q, conclusion, needs_attention } = filter;
    refuseWithAt(at, { q, conclusion, needs_attention, count: wantsCount });
    const asked = { ...filter, limit, after: readNumberCursor(cursor) };
    const [{ items, end }, count] = await Promise.all([
      at
        ? listStreamsAt(db, BUILDS, at, { ...asked, unchanging: matchesUnchanging(db, asked) })
        : listBuilds(db, asked),
      wantsCount ? countBuilds(db, filter) : undefined,
    ]);
    return c.json({ builds: items.map(buildSummaryOf), next_cursor: writeCursor(end), ...(count && { count }) }, 200);
  });
}
