import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { Refusal } from '../commands/refusal.ts';
import { foreignHeader, type HeaderOf, hostNameOf, isLocalHost } from '../contracts/loopback.ts';
import { secretOwners } from '../domain/secret-owners.ts';
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

/** Lets in who bears one of the keys, by `Authorization: Bearer SECRET`. */
export function requireKey(keys: ReadonlyMap<string, string>) {
  const ownerOf = secretOwners(keys);
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    const secret = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    const caller = ownerOf(secret ?? '');
    if (caller !== undefined) c.set('caller', caller);
    else if (!isOpenPath(c.req.path)) {
      c.header('WWW-Authenticate', 'Bearer');
      throw new Refusal('unauthorized', {
        detail: 'send the header Authorization: Bearer SECRET with a secret of API_KEYS',
      });
    }
    await next();
  });
}

/**
 * Where the API is open because only this machine reaches it, a web page must not reach it through the user's browser
 * either: by a name of its own that resolves to loopback (DNS rebinding) the Host header differs. Cross-site requests
 * with a body fail for want of a JSON content type, which browsers ask leave for.
 */
export function requireLocalHost(trusted: readonly string[]) {
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    const host = hostNameOf(headersOf(c));
    if (!isLocalHost(host, trusted) && !isSignedPath(c.req.path)) {
      throw new Refusal('forbidden_host', {
        detail: `requests to "${host.slice(0, 100)}" are refused; use 127.0.0.1 or add the name to TRUSTED_HOSTS`,
      });
    }
    c.set('caller', 'local');
    await next();
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
