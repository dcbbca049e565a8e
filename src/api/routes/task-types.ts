import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { notFound } from '../../commands/refusal.ts';
import type { TaskTypes } from '../../commands/tasks/task-types.ts';
import { withPollers } from '../../commands/workers/list-served-types.ts';
import { servedTaskType, servedTaskTypes, taskTypeParam } from '../../contracts/tasks/task-type.ts';
import type { Api } from '../environment.ts';
import { problemResponses } from '../responses.ts';
import { needs } from '../rights.ts';

const listRoute = createRoute({
  method: 'get',
  path: '/task-types',
  operationId: 'listTaskTypes',
  ...needs('read', 'handler'),
  tags: ['tasks'],
  summary: 'List task types: what can be sent, with which arguments, and who runs it',
  description:
    'Workers register the types that they serve when they start. A type that nobody serves any more stays: its tasks are accepted, and wait.',
  responses: {
    200: { description: 'By name', content: { 'application/json': { schema: servedTaskTypes } } },
    ...problemResponses('temporal_unavailable'),
  },
});

const oneRoute = createRoute({
  method: 'get',
  path: '/task-types/{name}',
  operationId: 'getTaskType',
  ...needs('read', 'handler'),
  tags: ['tasks'],
  summary: 'Get a task type',
  request: { params: taskTypeParam },
  responses: {
    200: { description: 'The type', content: { 'application/json': { schema: servedTaskType } } },
    ...problemResponses('invalid_request', 'not_found', 'temporal_unavailable', 'database_unavailable'),
  },
});

export function getTaskTypes(api: Api, { client, taskTypes }: { client: Client; taskTypes: TaskTypes }): void {
  api.openapi(listRoute, async (c) => c.json(await withPollers(client, await taskTypes.list()), 200));
  api.openapi(oneRoute, async (c) => {
    const { name } = c.req.valid('param');
    const type = await taskTypes.find(name);
    if (!type) throw notFound(`task type ${name}`);
    const [served] = await withPollers(client, [type]);
    return c.json(served!, 200);
  });
}
