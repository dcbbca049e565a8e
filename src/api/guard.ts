import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Gate } from '../commands/keys/gate.ts';
import type { Principal } from '../commands/keys/principal.ts';
import { Refusal } from '../commands/refusal.ts';
import { foreignHeader, type HeaderOf, hostFault } from '../contracts/loopback.ts';
import type { ApiEnvironment } from './environment.ts';

/** Requests below this path carry a signature instead of a key, and may address the server by any name of a tunnel or proxy. */
const SIGNED = '/webhooks/';
export const isSignedPath = (path: string) => path.startsWith(SIGNED);

/** Paths that need no key, for probes and for people who look for where to enter theirs. They contain no secrets. */
const OPEN_PATHS = new Set(['/', '/docs', '/openapi.json', '/health', '/health/live', '/health/ready']);

/**
 * The metrics change nothing and name no data, and an alert that Postgres is away needs them for as long as it is. So they accept a created
 * key even where nobody can tell whether it was revoked.
 */
const METRICS_PATH = '/metrics';

/** Says whether a path needs no key. */
export function isOpenPath(path: string): boolean {
  return OPEN_PATHS.has(path) || isSignedPath(path) || path.startsWith('/docs/');
}

/**
 * Identifies who sends a request. With keys, the request must have the header `Authorization: Bearer KEY`. Without keys, only this machine
 * is admitted. Even then, a web page must not reach the API through the user's browser. If the page's own name resolves to loopback (DNS
 * rebinding), the Host header differs. Cross-site requests with a body fail because they lack a JSON content type, for which browsers would
 * ask permission first.
 */
export function identify(gate: Gate, trusted: readonly string[]) {
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    if (!gate.needsKey) {
      const detail = isSignedPath(c.req.path) ? undefined : hostFault(headersOf(c), trusted);
      if (detail) throw new Refusal('forbidden_host', { detail });
      enter(c, gate.local());
    } else if (!isOpenPath(c.req.path)) {
      const given = { evenStale: c.req.path === METRICS_PATH };
      const principal = await gate.identify(bearerOf(c), addressOf(c), given).catch((error: unknown) => {
        if (error instanceof Refusal && error.code === 'unauthorized') c.header('WWW-Authenticate', 'Bearer');
        throw error;
      });
      enter(c, principal);
      limitRate(c, gate, principal);
    }
    await next();
  });
}

/** Sets the caller of a request. */
export function enter(c: Context<ApiEnvironment>, principal: Principal): void {
  c.set('principal', principal);
  c.set('caller', principal.caller);
}

/** Returns the key in a request. */
export function bearerOf(c: Context): string | undefined {
  return /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
}

/** Returns the address that a request came from, by its connection. */
export function addressOf(c: Context): string {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress ?? 'unknown';
}

/**
 * Counts a request against its caller's limit, and says what is left, as in draft-ietf-httpapi-ratelimit-headers-11.
 * @throws {Refusal} 429 if nothing is left.
 */
export function limitRate(c: Context, gate: Gate, principal: Principal): void {
  const rate = gate.take(principal);
  if (!rate) return;
  c.header('RateLimit-Policy', `"key";q=${rate.quota};w=60`);
  c.header('RateLimit', `"key";r=${rate.remaining};t=${rate.fullSeconds}`);
  if (rate.allowed) return;
  const detail = `${principal.caller} may make ${rate.quota} requests per minute; try again in ${rate.nextSeconds} s`;
  throw new Refusal('rate_limited', { detail, retryAfterSeconds: rate.nextSeconds });
}

/** Returns a reader of a request's headers. */
export function headersOf(c: Context): HeaderOf {
  return (name) => c.req.header(name);
}

/**
 * Refuses what a web page of another site sends through the user's browser. This is for requests that need no JSON content type; browsers
 * would ask permission before they send that type.
 */
export function refuseCrossSite(c: Context): void {
  if (foreignHeader(headersOf(c))) {
    throw new Refusal('cross_site', { detail: 'web pages of other sites may not send this request' });
  }
}
