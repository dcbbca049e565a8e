import type { Hono } from 'hono';
import type { TaskDependencies } from '../../commands/tasks/create-task.ts';
import { revokeIfOpen } from '../../commands/tasks/revoke-task.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { isStorableInstant } from '../../contracts/timestamp.ts';
import { celeryNameOf } from '../../domain/celery/task-names.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { searchTasks, TASK_ORDERS, type TaskQuery } from '../../store/tasks/task-search.ts';
import { type ApiEnvironment, endOf } from '../environment.ts';
import { needs } from './guard.ts';
import { infoOf, listedInfoOf, resultOf } from './info.ts';
import { pythonJson } from './python.ts';
import { argumentsOf, FlowerError, REST, readBool, readFloat, readInt, respond } from './response.ts';
import { parseSearch, SearchError } from './search.ts';
import type { Waiter } from './wait.ts';

const ORDERS = Object.keys(TASK_ORDERS).sort() as Array<keyof typeof TASK_ORDERS>;
const RECEIVED_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d)$/;

/** Adds the routes that show tasks, and those that revoke them. */
export function taskResults(app: Hono<ApiEnvironment>, deps: TaskDependencies, wait: Waiter): void {
  const { db } = deps;
  app.get(`/api/task/result/:id${REST}`, needs('read'), async (c) => {
    const id = c.req.param('id');
    const timeout = readFloat(new URL(c.req.url).searchParams.get('timeout')?.trim());
    const task = await (timeout === undefined ? findTask(db, id) : wait(id, timeout * 1_000, endOf(c)));
    return respond(c, task ? resultOf(task) : { 'task-id': id, state: 'PENDING' });
  });

  app.get(`/api/task/info/:id${REST}`, needs('read'), async (c) => {
    const id = c.req.param('id');
    const task = await findTask(db, id);
    if (!task) throw new FlowerError(404, `Unknown task '${id}'`);
    return respond(c, infoOf(task));
  });

  app.get('/api/tasks', needs('read'), async (c) => {
    const query = queryOf(new URL(c.req.url).searchParams, (name) => deps.taskTypes.known(name)?.name ?? name);
    if ('error' in query) {
      c.header('Content-Type', 'application/json; charset=UTF-8');
      return c.body(pythonJson(query), 400);
    }
    // No task contains NUL, and Postgres does not accept it.
    const tasks = query.limit > 0 && !c.req.url.includes('%00') ? await searchTasks(db, query) : [];
    return respond(c, new Map(tasks.map((task) => [task.id, listedInfoOf(task)])));
  });

  app.get('/api/task/types', needs('read'), async (c) => {
    const types = await deps.taskTypes.list();
    return respond(c, { 'task-types': types.map(({ name }) => celeryNameOf(name)).sort() });
  });

  app.post(`/api/task/revoke/:id${REST}`, needs('operate'), async (c) => {
    const id = c.req.param('id');
    const terminate = readBool((await argumentsOf(c))('terminate'));
    await revokeIfOpen(deps, id, { by: c.var.caller, reason: terminate ? 'terminated' : 'revoked' });
    return respond(c, { message: `Revoked '${id}'` });
  });

  app.post(`/api/task/abort/:id${REST}`, needs('operate'), async (c) => {
    const id = c.req.param('id');
    await revokeIfOpen(deps, id, { by: c.var.caller, reason: 'revoked' });
    return respond(c, { message: `Aborted '${id}'` });
  });
}

function queryOf(parameters: URLSearchParams, nameOf: (name: string) => string): TaskQuery | { error: string } {
  const given = (name: string) => parameters.getAll(name).at(-1)?.trim() || undefined;
  const filter = (name: string) => (given(name) === 'All' ? undefined : given(name));
  const limit = readInt(given('limit')) ?? LIMITS.flower.listTasks;
  const offset = Math.min(Math.max(0, readInt(given('offset')) ?? 0), LIMITS.flower.offsetTasks);
  const name = filter('taskname');
  try {
    return {
      limit: Math.min(limit, LIMITS.flower.listTasks),
      offset,
      state: filter('state'),
      name: name && nameOf(name),
      worker: filter('workername'),
      receivedFrom: readTime(given('received_start')),
      receivedUntil: readTime(given('received_end')),
      order: readOrder(given('sort_by')),
      search: parseSearch(given('search') ?? ''),
    };
  } catch (error) {
    if (error instanceof SearchError) return { error: error.message };
    throw error;
  }
}

/** Reads a time in the time zone of this machine, as Flower does. */
function readTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const [, day, time] = RECEIVED_TIME.exec(text) ?? [];
  const date = new Date(`${day}T${time}`);
  if (!isStorableInstant(date)) {
    throw new FlowerError(400, "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM'");
  }
  return date;
}

function readOrder(text: string | undefined): TaskQuery['order'] {
  if (text === undefined) return undefined;
  const by = ORDERS.find((order) => order === text.replace(/^-/, ''));
  if (!by) throw new FlowerError(400, `Invalid sort_by '${text}', expected one of ${ORDERS.join(', ')}`);
  return { by, descending: text.startsWith('-') };
}
