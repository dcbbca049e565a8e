import type { Context, Hono } from 'hono';
import type { Accepted } from '../../commands/lifecycle/accept.ts';
import { createTask, type TaskDependencies } from '../../commands/tasks/create-task.ts';
import { recordUnregisteredTask } from '../../commands/tasks/record-unregistered-task.ts';
import type { TaskTypes } from '../../commands/tasks/task-types.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { ENDED_TASK_STATUSES, taskId } from '../../contracts/tasks/task.ts';
import { queueName, type TaskType } from '../../contracts/tasks/task-type.ts';
import { isStorableInstant } from '../../contracts/timestamp.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { TaskRequest } from '../../domain/tasks/task-request.ts';
import { databaseFault } from '../../store/database.ts';
import { textOf } from '../body.ts';
import { type ApiEnvironment, endOf } from '../environment.ts';
import { idempotencyOf } from '../idempotency.ts';
import { needs } from './guard.ts';
import { resultOf } from './info.ts';
import { PythonJsonError, parseLikePython } from './python.ts';
import { FlowerError, REST, respond } from './response.ts';
import type { Waiter } from './wait.ts';

/** Flower's own format of times, which are in UTC. It also accepts ISO 8601. */
const FLOWER_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{1,6})$/;

/** Adds the routes that create tasks. */
export function applyTasks(app: Hono<ApiEnvironment>, deps: TaskDependencies, wait: Waiter): void {
  const create = async (c: Context<ApiEnvironment>, request: TaskRequest) => {
    const created = await createTask(deps, request, c.var.principal);
    if (created.replayed) c.header('Idempotent-Replayed', 'true');
    return created;
  };

  app.post(`/api/task/async-apply/:name${REST}`, needs('trigger'), async (c) => {
    const { request } = await read(deps, c, 'async-apply');
    const { id, status } = await create(c, request);
    return respond(c, { 'task-id': id, state: status });
  });

  app.post(`/api/task/send-task/:name${REST}`, needs('trigger'), async (c) => {
    const { request } = await read(deps, c, 'send-task');
    if (!(await deps.taskTypes.find(request.name))) {
      return respond(c, { 'task-id': await recordUnregisteredTask(deps, request), state: 'PENDING' });
    }
    const { id, status } = await create(c, request);
    return respond(c, { 'task-id': id, state: status });
  });

  app.post(`/api/task/apply/:name${REST}`, needs('trigger'), async (c) => {
    const { request, timeoutMs } = await read(deps, c, 'apply');
    const created = await create(c, request);
    // It is accepted, whatever the database says now.
    const task = await wait(created.id, timeoutMs, endOf(c)).catch((error: unknown) => {
      if (databaseFault(error)?.kind !== 'away') throw error;
      return undefined;
    });
    return respond(c, appliedOf(created, task));
  });
}

type Apply = 'apply' | 'async-apply' | 'send-task';

/** Returns what Flower responds after it waited: the state comes last. */
function appliedOf({ id }: Accepted<Task>, task: Task | undefined) {
  if (!task || !ENDED_TASK_STATUSES.includes(task.status)) return { 'task-id': id, state: 'PENDING' };
  const { state, ...rest } = resultOf(task);
  return { ...rest, state };
}

/** Reads the requested task. A name that Hapax does not know gets 404, except for send-task. */
async function read(
  { taskTypes }: TaskDependencies,
  c: Context<ApiEnvironment>,
  how: Apply,
): Promise<{ request: TaskRequest; timeoutMs?: number }> {
  const name = c.req.param('name') ?? '';
  const type = await taskTypes.find(name);
  if (how !== 'send-task' && !type) throw new FlowerError(404, `Unknown task '${name}'`);
  const body = await readBody(c);
  const { args = [], kwargs = {}, timeout, ...options } = body;
  if (!Array.isArray(args)) throw new FlowerError(400, 'args must be an array');
  if (kwargs === null || typeof kwargs !== 'object' || Array.isArray(kwargs)) {
    throw new FlowerError(400, 'kwargs must be an object');
  }
  const request: TaskRequest = {
    name,
    args,
    kwargs: kwargs as Record<string, unknown>,
    ...optionsOf(options),
    queue: await queueIn(taskTypes, type, options.queue),
    caller: c.var.caller,
    idempotency: idempotencyOf(c, `POST /api/task/${how}`),
    source: 'flower',
  };
  return { request, ...(typeof timeout === 'number' ? { timeoutMs: timeout * 1_000 } : {}) };
}

async function readBody(c: Context): Promise<Record<string, unknown>> {
  const text = await textOf(c, (detail) => new FlowerError(400, detail));
  if (text === '') return {};
  try {
    const body = parseLikePython(text);
    if (body === null || typeof body !== 'object' || Array.isArray(body)) throw new FlowerError(400, 'invalid options');
    return body as Record<string, unknown>;
  } catch (error) {
    if (error instanceof PythonJsonError) throw new FlowerError(400, error.message);
    throw error;
  }
}

/** Returns the requested queue. For Hapax's own tasks, an unknown queue is ignored, as other options are. */
async function queueIn(taskTypes: TaskTypes, type: TaskType | undefined, given: unknown): Promise<string | undefined> {
  const { data: queue } = queueName.safeParse(given);
  if (queue === undefined || type?.runtime !== 'built-in') return queue;
  return (await taskTypes.queues()).has(queue) ? queue : undefined;
}

/** Reads the options of `apply_async` that have a meaning here. As in Flower, all others are ignored. */
function optionsOf(options: Record<string, unknown>): Partial<TaskRequest> {
  const { task_id, priority, countdown, eta, expires, soft_time_limit, time_limit } = options;
  const begin =
    'countdown' in options ? inSeconds(countdown) : eta === undefined || eta === null ? undefined : instant(eta);
  const end =
    expires === undefined || expires === null
      ? undefined
      : typeof expires === 'number' || /^\d+(\.\d+)?$/.test(String(expires))
        ? inSeconds(expires)
        : instant(expires);
  return {
    taskId: readId(task_id),
    priority: typeof priority === 'number' ? Math.min(9, Math.max(0, Math.round(priority))) : undefined,
    eta: begin,
    expires: end,
    softLimitMs: limitOf(soft_time_limit),
    hardLimitMs: limitOf(time_limit),
  };
}

/** Reads a task id. As in Celery, a missing or empty one counts as none. */
function readId(given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  const { data, error } = taskId.safeParse(typeof given === 'number' ? String(given) : given);
  if (error) throw new FlowerError(400, `Invalid task_id: ${error.issues[0]?.message}`);
  return data;
}

function invalid(): FlowerError {
  return new FlowerError(400, 'Invalid option');
}

function inSeconds(value: unknown): Date {
  const seconds = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : NaN;
  if (!Number.isFinite(seconds) || Math.abs(seconds) > LIMITS.tasks.expiresSeconds) throw invalid();
  return new Date(Date.now() + seconds * 1_000);
}

function instant(value: unknown): Date {
  if (typeof value !== 'string') throw invalid();
  const [, day, time] = FLOWER_TIME.exec(value) ?? [];
  const iso = day ? `${day}T${time}Z` : /^\d{4}-\d\d-\d\dT/.test(value) ? withZone(value) : '';
  const date = new Date(iso);
  if (!isStorableInstant(date)) throw invalid();
  return date;
}

/** Adds UTC to a time without an offset, as Celery does. */
function withZone(iso: string): string {
  return /(Z|[+-]\d\d:?\d\d)$/i.test(iso) ? iso : `${iso}Z`;
}

function limitOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value <= LIMITS.tasks.limitSeconds ? value * 1_000 : undefined;
}
