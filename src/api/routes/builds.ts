import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { buildListQuery, buildPage } from '../../contracts/build.ts';
import { type BuildCursor, listBuilds } from '../../store/build-list.ts';
import type { Db } from '../../store/database.ts';
import { buildSummaryOf } from '../build-view.ts';
import type { Api } from '../environment.ts';
import { ApiError } from '../problem.ts';
import { problemResponses } from '../responses.ts';

const route = createRoute({
  method: 'get',
  path: '/builds',
  operationId: 'listBuilds',
  tags: ['builds'],
  summary: 'List builds, newest first',
  request: { query: buildListQuery },
  responses: {
    200: { description: 'One page', content: { 'application/json': { schema: buildPage } } },
    ...problemResponses('invalid_request', 'database_unavailable'),
  },
});

export function getBuilds(api: Api, db: Db): void {
  api.openapi(route, async (c) => {
    const { cursor, ...filter } = c.req.valid('query');
    const after = cursor === undefined ? {} : { after: readCursor(cursor) };
    const { builds, end } = await listBuilds(db, { ...filter, ...after });
    return c.json({ builds: builds.map(buildSummaryOf), next_cursor: end ? writeCursor(end) : null }, 200);
  });
}

const cursorForm = z.tuple([z.iso.datetime(), z.int().min(1)]);

function writeCursor({ created_at, id }: BuildCursor): string {
  return Buffer.from(JSON.stringify([created_at, id])).toString('base64url');
}

function readCursor(cursor: string): BuildCursor {
  try {
    const [created_at, id] = cursorForm.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { created_at, id };
  } catch {
    throw new ApiError('invalid_request', {
      errors: [{ path: 'query.cursor', message: 'must be the next_cursor of a page' }],
    });
  }
}
