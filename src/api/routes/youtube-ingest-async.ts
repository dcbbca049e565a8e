import { createRoute } from '@hono/zod-openapi';
import { invalidRequest } from '../../commands/refusal.ts';
import { createTask, type TaskDependencies } from '../../commands/tasks/create-task.ts';
import { ingestAsyncBody, ingestAsyncQuery } from '../../contracts/tasks/task-signatures.ts';
import type { TaskRequest } from '../../domain/tasks/task-request.ts';
import type { Api } from '../environment.ts';
import { idempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { optionalJsonBody, problems } from '../responses.ts';
import { needs } from '../rights.ts';
import { acceptedTask, answerOf, setReplayHeaders, TASK_PROBLEMS } from './tasks.ts';

const route = createRoute({
  method: 'post',
  path: '/youtube/ingest-async',
  operationId: 'ingestYoutube',
  ...needs('trigger', 'handler'),
  tags: ['tasks'],
  summary: 'Ingest a YouTube video',
  description: 'Sends the task `ingest_youtube`. Put the URL into the query or the body.',
  request: { headers: idempotencyHeader, query: ingestAsyncQuery, body: optionalJsonBody(ingestAsyncBody) },
  responses: { 202: acceptedTask, ...problems(...TASK_PROBLEMS, 'cross_site') },
});

export function ingestYoutube(api: Api, deps: TaskDependencies): void {
  api.openapi(route, async (c) => {
    const inQuery = c.req.valid('query').url;
    const inBody = (c.req.valid('json') as { url?: string } | undefined)?.url;
    if ((inQuery === undefined) === (inBody === undefined)) {
      throw invalidRequest([{ path: 'query.url', message: 'must be given once, here or in the body' }]);
    }
    const url = inQuery ?? inBody;
    const request: TaskRequest = {
      name: 'ingest_youtube',
      args: [url],
      kwargs: {},
      caller: c.var.caller,
      idempotency: idempotencyOf(c, 'POST /youtube/ingest-async'),
      source: 'http',
    };
    const task = await createTask(deps, request, c.var.principal);
    setReplayHeaders(c, task);
    return c.json(answerOf(task), 202);
  });
}
