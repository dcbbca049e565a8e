import { createRoute, z } from '@hono/zod-openapi';
import { notFound } from '../../commands/refusal.ts';
import { contentDetail, contentDetailQuery } from '../../contracts/content/content.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/api/v1/content/{id}',
  operationId: 'getContent',
  ...needs('read'),
  tags: ['content'],
  summary: 'Get content with its summary and the number of its embeddings',
  request: {
    params: z.object({ id: z.string().max(255).meta({ example: 'yt:dQw4w9WgXcQ' }) }),
    query: contentDetailQuery,
  },
  responses: {
    200: jsonResponse('The content', contentDetail),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function getContent(api: Api, content: ContentStore): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const found = await content.findDetail(id, c.req.valid('query').chunks === 'true');
    if (!found) throw notFound(`content ${id}`);
    return c.json(found, 200);
  });
}
