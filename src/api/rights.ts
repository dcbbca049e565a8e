import type { RouteConfig } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { tryDecodeURIComponent } from 'hono/utils/url';
import type { Principal } from '../commands/keys/principal.ts';
import { notFound } from '../commands/refusal.ts';
import type { Right } from '../contracts/keys/key-event.ts';
import { findBuild } from '../store/builds/build-find.ts';
import type { Db } from '../store/database.ts';
import { findTask } from '../store/tasks/task-find.ts';
import type { ApiEnvironment } from './environment.ts';
import { isOpenPath } from './guard.ts';

/**
 * Decides whether a restricted key reaches the subject of a route: by the build, task or queue in the path, or in the handler itself.
 * Routes that do not say are closed to such keys.
 */
export type ReachedBy = 'build' | 'task' | 'queue' | 'handler';

/** Rights that a route needs. They are part of the route's definition, and so of the description. */
export interface Needs {
  right: Right;
  reachedBy: ReachedBy | undefined;
}

/** Returns the right that a route needs, for its definition. OpenAPI 3.1 lists it as a role of the scheme `key`. */
export function needs(right: Right, reachedBy?: ReachedBy) {
  return { security: [{ key: [right] }, {}], ...(reachedBy ? { 'x-restricted-keys': reachedBy } : {}) };
}

/** Returns what a route needs by its definition; undefined if it is open. @throws if the definition does not say. */
export function needsOf({ method, path, security, ...route }: RouteConfig): Needs | undefined {
  if (isOpenPath(path)) return undefined;
  const right = security?.find((scheme) => scheme.key)?.key?.[0] as Right | undefined;
  if (!right) throw new Error(`${method} ${path} does not say which right it needs`);
  return { right, reachedBy: (route as { 'x-restricted-keys'?: ReachedBy })['x-restricted-keys'] };
}

/** Refuses requests that the caller has no right to. @param needsOf returns what the matched route needs; undefined if no route matches. */
export function requireRights(needsOf: (c: Context) => Needs | undefined, db: Db) {
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    const needed = needsOf(c);
    if (needed) {
      const { principal } = c.var;
      principal.require(needed.right);
      if (principal.isRestricted) await requireReach(principal, needed.reachedBy, c, db);
    }
    await next();
  });
}

/** @throws {Refusal} 403 if a restricted key does not reach the subject of a request. @throws 404 if the subject does not exist. */
async function requireReach(principal: Principal, by: ReachedBy | undefined, c: Context, db: Db): Promise<void> {
  switch (by) {
    case undefined:
      return principal.requireWhole(`${c.req.method} ${c.req.path}`);
    case 'build': {
      const id = Number(subjectOf(c));
      const build = Number.isSafeInteger(id) ? await findBuild(db, id) : undefined;
      if (!build) throw notFound(`build ${subjectOf(c)}`);
      return principal.requireRepository(build.request.repository);
    }
    case 'task': {
      const task = await findTask(db, subjectOf(c));
      if (!task) throw notFound(`task ${subjectOf(c)}`);
      return principal.requireQueue(task.queue);
    }
    case 'queue':
      return principal.requireQueue(subjectOf(c));
    case 'handler':
      return undefined;
    default:
      return by satisfies never;
  }
}

/** Returns what the path names after the collection: `12` in `/builds/12/events`. The router decodes it for the handler in the same way. */
function subjectOf(c: Context): string {
  return tryDecodeURIComponent(c.req.path.split('/')[2] ?? '');
}
