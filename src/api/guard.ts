import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Gate } from '../commands/keys/gate.ts';
import type { Principal } from '../commands/keys/principal.ts';
import { Refusal } from '../commands/refusal.ts';
import { foreignHeader, type HeaderOf, hostNameOf, isLocalHost } from '../contracts/loopback.ts';
import type { ApiEnvironment } from './environment.ts';

/** Requests below this path carry a signature instead, and address the server by whatever name the tunnel or proxy has. */
const SIGNED = '/webhooks/';
export const isSignedPath = (path: string) => path.startsWith(SIGNED);

/** Paths that are reached without a key: by probes, and by people who look for where to put theirs. They hold no secrets. */
const OPEN_PATHS = new Set(['/', '/docs', '/openapi.json', '/health', '/health/live', '/health/ready']);

/** Whether a path is reached without a key. */
export function isOpenPath(path: string): boolean {
  return OPEN_PATHS.has(path) || isSignedPath(path) || path.startsWith('/docs/');
}

/**
 * Learns who asks. With keys, who bears one by `Authorization: Bearer KEY`. Without any, this machine, and nobody else: a web page
 * must not reach the API through the user's browser either. By a name of its own that resolves to loopback (DNS rebinding) the
 * Host header differs. Cross-site requests with a body fail for want of a JSON content type, which browsers ask leave for.
 */
export function identify(gate: Gate, trusted: readonly string[]) {
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    if (!gate.needsKey) {
      if (!isSignedPath(c.req.path)) requireLocalHost(headersOf(c), trusted);
      enter(c, gate.local());
    } else if (!isOpenPath(c.req.path)) {
      const principal = await gate.identify(bearerOf(c), addressOf(c)).catch((error: unknown) => {
        if (error instanceof Refusal && error.code === 'unauthorized') c.header('WWW-Authenticate', 'Bearer');
        throw error;
      });
      enter(c, principal);
      limitRate(c, gate, principal);
    }
    await next();
  });
}

/** Lets a request in as somebody's. */
export function enter(c: Context<ApiEnvironment>, principal: Principal): void {
  c.set('principal', principal);
  c.set('caller', principal.caller);
}

/** The key that a request bears. */
export function bearerOf(c: Context): string | undefined {
  return /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
}

/** Where a request came from, by its connection. */
export function addressOf(c: Context): string {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress ?? 'unknown';
}

/**
 * Takes the request from what its caller may make, and says what is left, by draft-ietf-httpapi-ratelimit-headers-11.
 * @throws {Refusal} 429 where nothing is left.
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

/** @throws {Refusal} where a request that needs no key addresses this machine by a name of somebody else's. */
function requireLocalHost(header: HeaderOf, trusted: readonly string[]): void {
  const host = hostNameOf(header);
  if (isLocalHost(host, trusted)) return;
  throw new Refusal('forbidden_host', {
    detail: `requests to "${host.slice(0, 100)}" are refused; use 127.0.0.1 or add the name to TRUSTED_HOSTS`,
  });
}

/** Reads the headers of a request. */
export function headersOf(c: Context): HeaderOf {
  return (name) => c.req.header(name);
}

/**
 * Refuses what a web page of another site sends through the user's browser: for requests that need no JSON content type,
 * which browsers would ask leave for.
 */
export function refuseCrossSite(c: Context): void {
  if (foreignHeader(headersOf(c))) {
    throw new Refusal('cross_site', { detail: 'web pages of other sites may not send this request' });
  }
}
