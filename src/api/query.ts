import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { invalidRequest } from '../commands/refusal.ts';

/**
 * Refuses query parameters that a route does not have: a misspelt filter would otherwise match everything.
 * @param parametersOf returns the parameters of a request's route; undefined if no route serves it.
 */
export function refuseUnknownParameters(parametersOf: (c: Context) => readonly string[] | undefined) {
  return createMiddleware(async (c, next) => {
    if (!c.req.url.includes('?')) return next();
    const known = parametersOf(c);
    const unknown = known && Object.keys(c.req.queries()).filter((name) => !known.includes(name));
    if (known && unknown?.length) {
      const message = known.length === 0 ? 'this route has no query parameters' : `this route has ${known.join(', ')}`;
      throw invalidRequest(unknown.map((name) => ({ path: `query.${name}`, message: `does not exist; ${message}` })));
    }
    await next();
  });
}
