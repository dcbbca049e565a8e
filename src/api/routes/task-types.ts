import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { notFound } from '../../commands/refusal.ts';
import { retireTaskType } from '../../commands/tasks/retire-task-type.ts';
import type { TaskTypes } from '../../commands/tasks/task-types.ts';
import { withPollers } from '../../commands/workers/list-served-types.ts';
import { servedTaskType, servedTaskTypes, taskTypeParam } from '../../contracts/tasks/task-type.ts';
import type { Db } from '../../store/database.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const listRoute = createRoute({
  method: 'get',
  path: '/task-types',
  operationId: 'listTaskTypes',
  ...needs('read', 'handler'),
  tags: ['tasks'],
  summary: 'List task types: what can be sent, with which arguments, and who runs it',
  description:
    'Workers register the types that they serve when they start. A type that no worker serves any more stays in the list, and its tasks are accepted and wait, until it is retired.',
  responses: {
    200: jsonResponse('Those of Hapax, then the others by name', servedTaskTypes),
    ...problems('temporal_unavailable'),
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
    200: jsonResponse('The type', servedTaskType),
    ...problems('invalid_request', 'not_found', 'temporal_unavailable', 'database_unavailable'),
  },
});

const retireRoute = createRoute({
  method: 'delete',
  path: '/task-types/{name}',
  operationId: 'retireTaskType',
  ...needs('operate', 'handler'),
  tags: ['tasks'],
  summary: 'Retire a task type that nobody serves',
  description:
    'It is no longer listed, and its tasks are no longer accepted. 409 while a worker serves it (one that stopped counts for 90 seconds), while a task of it has not ended, or while a schedule sends it. It is back when a worker registers it again. Its queue goes with it, if nothing else uses it.',
  request: { params: taskTypeParam },
  responses: {
    204: { description: 'It is retired' },
    ...problems(
      'invalid_request',
      'not_found',
      'state_conflict',
      'cross_site',
      'temporal_unavailable',
      'database_unavailable',
    ),
  },
});

export function taskTypeRoutes(api: Api, deps: { db: Db; client: Client; taskTypes: TaskTypes }): void {
  const { taskTypes } = deps;
  api.openapi(listRoute, async (c) => {
    const { principal } = c.var;
    const reached = (await taskTypes.list()).filter(({ queue }) => principal.reachesQueue(queue));
    return c.json(await withPollers(deps, reached), 200);
  });
  api.openapi(oneRoute, async (c) => {
    const { name } = c.req.valid('param');
    const type = await taskTypes.find(name);
    if (!type) throw notFound(`task type ${name}`);
    c.var.principal.requireQueue(type.queue);
    const [served] = await withPollers(deps, [type]);
    return c.json(served!, 200);
  });
  api.openapi(retireRoute, async (c) => {
    const { name } = c.req.valid('param');
    const type = await taskTypes.find(name);
    if (type) c.var.principal.requireQueue(type.queue);
    await retireTaskType(deps, name);
    c.var.log.info({ task: name, by: c.var.caller }, 'task type retired');
    return c.body(null, 204);
  });
}
