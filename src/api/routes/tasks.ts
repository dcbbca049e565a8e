import { createRoute, type z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { readTextCursor, writeCursor } from '../../commands/cursor.ts';
import type { Accepted } from '../../commands/lifecycle/accept.ts';
import { createTask, type TaskDependencies } from '../../commands/tasks/create-task.ts';
import { type TaskBody, taskAnswer, taskBody, taskListQuery, taskPage } from '../../contracts/tasks/task.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { TaskRequest } from '../../domain/tasks/task-request.ts';
import { taskSummaryOf } from '../../domain/tasks/task-view.ts';
import { listStreamsAt } from '../../store/record/stream-list-at.ts';
import { countTasks } from '../../store/tasks/task-count.ts';
import { listTasks, matchesUnchangingOfTasks } from '../../store/tasks/task-list.ts';
import { TASKS } from '../../store/tasks/task-stream.ts';
import { refuseWithAt } from '../at.ts';
import type { Api } from '../environment.ts';
import { headersOfNew, IDEMPOTENCY_PROBLEMS, idempotencyHeader, idempotencyOf } from '../idempotency.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const tags = ['tasks'];

export const acceptedTask = jsonResponse('Accepted, now or earlier', taskAnswer, headersOfNew('the task'));

export const TASK_PROBLEMS = [
  ...BODY_PROBLEMS,
  ...IDEMPOTENCY_PROBLEMS,
  'unknown_task',
  'task_id_reused',
  'unprocessable_callback_url',
  'still_closing',
  'temporal_unavailable',
  'database_unavailable',
] as const;

const postRoute = createRoute({
  method: 'post',
  path: '/tasks',
  operationId: 'createTask',
  ...needs('trigger', 'handler'),
  tags,
  summary: 'Send a task, effectively once',
  description:
    'The same task id, or the same Idempotency-Key, gets the same task. Without either, every request makes a new task. The exception is a video: the same video gets the same task, in any form of its URL; if it failed or was revoked, it starts again.',
  request: { headers: idempotencyHeader, body: jsonBody(taskBody) },
  responses: { 202: acceptedTask, ...problems(...TASK_PROBLEMS) },
});

const listRoute = createRoute({
  method: 'get',
  path: '/tasks',
  operationId: 'listTasks',
  ...needs('read', 'handler'),
  tags,
  summary: 'List tasks, newest first, now or at an earlier time',
  description: 'With `at`: the tasks that existed at that time, as they were then. Pass `at` again with the cursor.',
  request: { query: taskListQuery },
  responses: { 200: jsonResponse('One page', taskPage), ...problems('invalid_request', 'database_unavailable') },
});

export function tasks(api: Api, deps: TaskDependencies): void {
  api.openapi(postRoute, async (c) => {
    const request = {
      ...requestOf(c.req.valid('json'), c.var.caller),
      idempotency: idempotencyOf(c, 'POST /tasks'),
    };
    const task = await createTask(deps, request, c.var.principal);
    setReplayHeaders(c, task);
    return c.json(answerOf(task), 202);
  });
  api.openapi(listRoute, async (c) => {
    const { cursor, at, count: wantsCount, limit, ...given } = c.req.valid('query');
    const filter = { ...given, within: c.var.principal.reach?.queues };
    refuseWithAt(at, { q: filter.q, count: wantsCount });
    const { db } = deps;
    const asked = { ...filter, limit, after: readTextCursor(cursor) };
    const [{ items, end }, count] = await Promise.all([
      at
        ? listStreamsAt(db, TASKS, at, { ...asked, unchanging: matchesUnchangingOfTasks(db, asked) })
        : listTasks(db, asked),
      wantsCount ? countTasks(db, filter) : undefined,
    ]);
    return c.json({ tasks: items.map(taskSummaryOf), next_cursor: writeCursor(end), ...(count && { count }) }, 200);
  });
}

/** Returns the response for an accepted task. Its status is `queued` until it has started, as in the seed of this API. */
export function answerOf({ id, status }: Accepted<Task>): z.infer<typeof taskAnswer> {
  return { task_id: id, status: status === 'PENDING' ? 'queued' : status };
}

export function setReplayHeaders(c: Context, { id, replayed }: Accepted<Task>): void {
  c.header('Location', `/tasks/${encodeURIComponent(id)}`);
  if (replayed) c.header('Idempotent-Replayed', 'true');
}

function requestOf(body: TaskBody, caller: string): TaskRequest {
  const { name, args, kwargs, task_id, queue, priority, eta, expires, callback_url } = body;
  const { soft_time_limit, time_limit } = body;
  return {
    ...{ name, args, kwargs, queue, priority, caller },
    taskId: task_id,
    eta: eta === undefined ? undefined : new Date(eta),
    expires:
      expires === undefined
        ? undefined
        : new Date(typeof expires === 'number' ? Date.now() + expires * 1_000 : expires),
    callbackUrl: callback_url,
    softLimitMs: soft_time_limit && soft_time_limit * 1_000,
    hardLimitMs: time_limit && time_limit * 1_000,
    source: 'http',
  };
}
