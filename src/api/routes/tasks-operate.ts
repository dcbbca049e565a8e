import { createRoute, type z } from '@hono/zod-openapi';
import type { TaskDependencies } from '../../commands/tasks/create-task.ts';
import { fittingTasks, type ManyTasksOperation, operateTask } from '../../commands/tasks/operate-tasks.ts';
import { manyTasks, manyTasksAnswer, manyTasksDryRun } from '../../contracts/tasks/many-tasks.ts';
import { taskSummaryOf } from '../../domain/tasks/task-view.ts';
import type { Api, ApiContext } from '../environment.ts';
import { answerMany } from '../operate-many.ts';
import { jsonBody, jsonResponse, MANY_PROBLEMS, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const shared = {
  method: 'post' as const,
  ...needs('operate', 'handler'),
  tags: ['tasks'],
  request: { body: jsonBody(manyTasks) },
  responses: {
    200: jsonResponse('A dry run: how many match, and the first of them', manyTasksDryRun),
    202: jsonResponse('What became of each', manyTasksAnswer),
    ...problems(...MANY_PROBLEMS),
  },
};

const cancelRoute = createRoute({
  ...shared,
  path: '/tasks/cancel',
  operationId: 'cancelTasks',
  summary: 'Revoke all tasks that match a filter, the newest first',
  description:
    'Of the tasks that match, this cancels those that have not ended. With `dry_run`, nothing changes. Send the request again until `more` is false or `done` is empty.',
});

const retryRoute = createRoute({
  ...shared,
  path: '/tasks/retry',
  operationId: 'retryTasks',
  summary: 'Retry all tasks that match a filter, the newest first',
  description:
    'Of the tasks that match, this retries those that failed or were revoked. With `dry_run`, nothing changes. Send the request again until `more` is false or `done` is empty.',
});

/** Revokes or retries many tasks. */
export function operateManyTasks(api: Api, deps: TaskDependencies): void {
  api.openapi(cancelRoute, (c) => operate(c, deps, 'revoke', c.req.valid('json')));
  api.openapi(retryRoute, (c) => operate(c, deps, 'retry', c.req.valid('json')));
}

async function operate(
  c: ApiContext,
  deps: TaskDependencies,
  operation: ManyTasksOperation,
  { ids, limit, dry_run, ...filter }: z.output<typeof manyTasks>,
) {
  const { principal, caller } = c.var;
  const which = ids ? { ids } : { filter: { ...filter, within: principal.reach?.queues } };
  const found = await fittingTasks(deps, operation, which, limit);
  for (const { queue } of found.items) principal.requireQueue(queue);
  const asked = { operation, nouns: 'tasks', dry_run };
  return answerMany(c, found, asked, taskSummaryOf, (id) => operateTask(deps, operation, id, caller));
}
