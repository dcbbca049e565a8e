import { Hono } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Gate } from '../../commands/keys/gate.ts';
import { Refusal } from '../../commands/refusal.ts';
import type { TaskDependencies } from '../../commands/tasks/create-task.ts';
import { limitBody } from '../body.ts';
import { pathOf } from '../dot-ids.ts';
import type { ApiEnvironment } from '../environment.ts';
import type { EventTail } from '../events/event-tail.ts';
import type { ApiMeter } from '../meter.ts';
import { applyTasks } from './apply.ts';
import { control } from './control.ts';
import { type FlowerAccess, flowerGuard, refuseWhereReadOnly } from './guard.ts';
import { asFlowerError, FlowerError } from './response.ts';
import { taskResults } from './results.ts';
import { waiterOf } from './wait.ts';
import { workers } from './workers.ts';

/** Paths of the Flower API below its prefix. Other paths under /api belong to Hapax. */
const FLOWER_PATHS = /^\/api\/(task|tasks|workers|worker|queues)(\/|$)/;

const NOT_FOUND_PAGE = '<!doctype html><title>Flower</title><p>404: Not Found</p>';

/** Says whether a path belongs to the Flower API. */
export function isFlowerPath(path: string, prefix: string): boolean {
  const base = prefix === '' ? '' : `/${prefix}`;
  return path.startsWith(base) && FLOWER_PATHS.test(path.slice(base.length));
}

/**
 * Creates the HTTP API of Flower, Celery's monitor, for Hapax's tasks. Routes, codes, texts and the order of keys are those of Flower 2.2.
 * docs/tasks.md lists the intended differences.
 */
export function createFlower(
  deps: TaskDependencies & { meter: ApiMeter },
  tail: EventTail,
  gate: Gate,
  access: FlowerAccess & { FLOWER_URL_PREFIX: string },
): Hono<ApiEnvironment> {
  const root = new Hono<ApiEnvironment>({ getPath: pathOf });
  const app = access.FLOWER_URL_PREFIX === '' ? root : root.basePath(`/${access.FLOWER_URL_PREFIX}`);
  root.use(async (c, next) => {
    c.header('X-Content-Type-Options', 'nosniff');
    await next();
  });
  app.get('/healthcheck', (c) => c.html('OK'));
  const guard = flowerGuard(gate, access);
  app.use('/metrics', guard);
  app.use('/api/*', guard);
  app.use('/api/*', async (c, next) => {
    const { method } = c.req;
    if (method === 'OPTIONS') return c.body(null, 204);
    // A path that handles only another method gets 405 later.
    if (method === 'POST' && matchedRoutes(c).some((route) => route.method === 'POST')) refuseWhereReadOnly(access);
    await next();
  });
  app.use(
    '/api/*',
    limitBody(() => new FlowerError(413)),
  );
  const wait = waiterOf(deps.db, tail);
  applyTasks(app, deps, wait);
  taskResults(app, deps, wait);
  workers(app, deps);
  control(app, deps);
  for (const path of paths(app))
    app.all(path, () => {
      throw new FlowerError(405);
    });

  root.notFound((c) => c.html(NOT_FOUND_PAGE, 404));
  root.onError((thrown, c) => {
    const error = asFlowerError(thrown);
    if (error.status >= 500) deps.log.error({ err: thrown, path: c.req.path }, 'a route of Flower failed');
    c.header('Content-Type', `${error.type}; charset=UTF-8`);
    if (thrown instanceof Refusal && thrown.retryAfterSeconds)
      c.header('Retry-After', String(thrown.retryAfterSeconds));
    return c.body(error.message, error.status as 400);
  });
  return root;
}

/** Returns every path that has a handler. */
function paths(app: Hono<ApiEnvironment>): string[] {
  const below = (path: string) => path.slice(path.indexOf('/api/'));
  const routes = app.routes.filter(
    ({ method, path }) => (method === 'GET' || method === 'POST') && path.includes('/api/'),
  );
  return [...new Set(routes.map(({ path }) => below(path)))];
}
