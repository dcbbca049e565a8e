import { createRoute } from '@hono/zod-openapi';
import { Refusal } from '../../commands/refusal.ts';
import type { TaskDependencies } from '../../commands/tasks/create-task.ts';
import { retryTask } from '../../commands/tasks/retry-task.ts';
import { existingTask, revokeTask } from '../../commands/tasks/revoke-task.ts';
import { whyWaiting } from '../../commands/tasks/why-waiting.ts';
import {
  cancelTaskBody,
  retryTaskBody,
  taskAtQuery,
  taskIdParam,
  taskOperatorAnswer,
  taskView,
} from '../../contracts/tasks/task.ts';
import type { TemporalUi } from '../../domain/links.ts';
import { eventsUntil, foldEvents } from '../../domain/record/fold.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { taskViewOf } from '../../domain/tasks/task-view.ts';
import { listEvents } from '../../store/record/event-list-by-stream.ts';
import { TASKS, taskStream } from '../../store/tasks/task-stream.ts';
import { type Api, endOf } from '../environment.ts';
import type { StreamParts } from '../events/event-stream.ts';
import { whenEnded } from '../events/when-ended.ts';
import { jsonResponse, OPERATION_PROBLEMS, optionalJsonBody, problems, RESTART_PROBLEMS } from '../responses.ts';
import { needs } from '../rights.ts';

const tags = ['tasks'];

const getRoute = createRoute({
  method: 'get',
  path: '/tasks/{id}',
  operationId: 'getTask',
  ...needs('read', 'task'),
  tags,
  summary: 'Get a task with its result, now or at an earlier time',
  description:
    'With `at`: the task as it was at that time. 404 if it did not exist yet. With `wait`: the response comes when the task has ended, or after that time.',
  request: { params: taskIdParam, query: taskAtQuery },
  responses: {
    200: jsonResponse('The task', taskView),
    ...problems('invalid_request', 'not_found', 'too_many_streams', 'database_unavailable'),
  },
});

const cancelRoute = createRoute({
  method: 'post',
  path: '/tasks/{id}/cancel',
  operationId: 'cancelTask',
  ...needs('operate', 'task'),
  tags,
  summary: 'Revoke a task',
  description: 'A task that has not started never starts. A running task is asked to stop, and its result is dropped.',
  request: { params: taskIdParam, body: optionalJsonBody(cancelTaskBody) },
  responses: { 202: jsonResponse('Accepted', taskOperatorAnswer), ...problems(...OPERATION_PROBLEMS, 'cross_site') },
});

const retryRoute = createRoute({
  method: 'post',
  path: '/tasks/{id}/retry',
  operationId: 'retryTask',
  ...needs('operate', 'task'),
  tags,
  summary: 'Retry a task that failed or was revoked',
  description: 'It starts again with the same id, the same arguments and new retries.',
  request: { params: taskIdParam, body: optionalJsonBody(retryTaskBody) },
  responses: { 202: jsonResponse('Accepted', taskOperatorAnswer), ...problems(...RESTART_PROBLEMS, 'cross_site') },
});

export function taskById(api: Api, deps: TaskDependencies & StreamParts & { temporalUi: TemporalUi }): void {
  api.openapi(getRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { at, wait } = c.req.valid('query');
    if (wait) await whenEnded(deps, TASKS, id, wait, endOf(c));
    const task = at ? await taskAt(deps, id, at) : await existingTask(deps, id);
    const waiting_for = at ? null : await whyWaiting(deps, task);
    return c.json({ ...taskViewOf(task, deps.temporalUi), ...(waiting_for && { waiting_for }) }, 200);
  });
  api.openapi(cancelRoute, async (c) => {
    const { id, status } = await revokeTask(deps, c.req.valid('param').id, { by: c.var.caller, reason: 'terminated' });
    c.var.log.info({ task_id: id }, 'revocation requested');
    return c.json({ task_id: id, status, message: 'Revocation requested' }, 202);
  });
  api.openapi(retryRoute, async (c) => {
    const { id, status } = await retryTask(deps, c.req.valid('param').id, c.var.caller);
    c.var.log.info({ task_id: id }, 'retry requested');
    return c.json({ task_id: id, status, message: 'Task queued again' }, 202);
  });
}

/** Returns the task as it was at a time. @throws {Refusal} 404 if it did not exist yet. */
async function taskAt({ db }: TaskDependencies, id: string, at: string): Promise<Task> {
  const task = foldEvents(TASKS, eventsUntil(await listEvents(db, taskStream(id)), at));
  if (!task) throw new Refusal('not_found', { detail: `there was no task ${id} at that time` });
  return task;
}
