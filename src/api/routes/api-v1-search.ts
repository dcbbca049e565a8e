import { createRoute } from '@hono/zod-openapi';
import { searchAnswer, searchBody } from '../../contracts/content/content.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import { answerSearch, type EmbedQuery } from '../../store/content/search-answer.ts';
import type { Api } from '../environment.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'post',
  path: '/api/v1/search',
  operationId: 'searchContent',
  ...needs('read'),
  tags: ['content'],
  summary: 'Search content',
  description:
    'Searches by meaning and by words. If there is no model or no pgvector, it searches by words only; `method` and `note` say so. The task `semantic_search` does the same through a queue.',
  request: { body: jsonBody(searchBody) },
  responses: {
    200: jsonResponse('What was found, best first', searchAnswer),
    ...problems(...BODY_PROBLEMS, 'database_unavailable'),
  },
});

export function postSearch(api: Api, deps: { content: ContentStore; embedQuery: EmbedQuery }): void {
  api.openapi(route, async (c) => c.json(await answerSearch(deps.content, deps.embedQuery, c.req.valid('json')), 200));
}
