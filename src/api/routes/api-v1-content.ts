import { createRoute } from '@hono/zod-openapi';
import { readTextCursor, writeCursor } from '../../commands/cursor.ts';
import { contentListQuery, contentPage } from '../../contracts/content/content.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/api/v1/content',
  operationId: 'listContent',
  ...needs('read'),
  tags: ['content'],
  summary: 'List content, newest first',
  request: { query: contentListQuery },
  responses: { 200: jsonResponse('One page', contentPage), ...problems('invalid_request', 'database_unavailable') },
});

export function getContents(api: Api, content: ContentStore): void {
  api.openapi(route, async (c) => {
    const { cursor, limit, type, tag } = c.req.valid('query');
    const filter = { type, tags: tag === undefined ? undefined : [tag] };
    const { items: contents, end } = await content.list(filter, { after: readTextCursor(cursor), limit });
    return c.json({ contents, next_cursor: writeCursor(end) }, 200);
  });
}
