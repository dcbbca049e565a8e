import type { Context, MiddlewareHandler } from 'hono';
import { TRACE_CONTEXT_HEADERS, type Tracing } from '../contracts/tracing/tracing.ts';

/** Paths that programs request again and again only to check that Hapax is up. */
const PROBES = /^\/(health|metrics)(\/|$)/;

/**
 * Reports each request as a span, in its caller's trace if the caller sent one. The span names only the route of the request.
 * @param routeOf returns the pattern that a request matched, once it was handled.
 */
export function traceRequests(
  tracing: Tracing,
  routeOf: (c: Context) => { route: string; method: string },
): MiddlewareHandler {
  return async (c, next) => {
    if (PROBES.test(c.req.path)) return next();
    const { method } = c.req;
    const sent = TRACE_CONTEXT_HEADERS.flatMap((name) => {
      const value = c.req.header(name);
      return value === undefined ? [] : [[name, value]];
    });
    const start = { name: method, kind: 'server', parent: Object.fromEntries(sent) } as const;
    await tracing.within(start, async (span) => {
      await next();
      const { route } = routeOf(c);
      const { status } = c.res;
      span.set({ 'http.request.method': method, 'http.response.status_code': status });
      if (route !== 'unmatched') {
        span.rename(`${method} ${route}`);
        span.set({ 'http.route': route });
      }
      if (status >= 500) span.fail(String(status));
    });
  };
}
