import { createRoute } from '@hono/zod-openapi';
import { searchAnswer, searchBody } from '../../contracts/content/content.ts';
import { answerSearch, type EmbedQuery } from '../../store/content/search-answer.ts';
import type { Db } from '../../store/database.ts';
import type { Api } from '../environment.ts';
import { problemResponses } from '../responses.ts';

const route = createRoute({
  method: 'post',
  path: '/api/v1/search',
  operationId: 'searchContent',
  tags: ['content'],
  summary: 'Search content, at once',
  description:
    'By meaning and words, merged; by words alone where no model or no pgvector is there, which `method` and `note` say. The task `semantic_search` answers the same through a queue.',
  request: { body: { required: true, content: { 'application/json': { schema: searchBody } } } },
  responses: {
    200: { description: 'What was found, best first', content: { 'application/json': { schema: searchAnswer } } },
    ...problemResponses(
      'malformed_json',
      'invalid_request',
      'body_too_large',
      'unsupported_media_type',
      'database_unavailable',
    ),
  },
});

export function postSearch(api: Api, deps: { db: Db; embedQuery: EmbedQuery }): void {
  api.openapi(route, async (c) => c.json(await answerSearch(deps.db, deps.embedQuery, c.req.valid('json')), 200));
}
