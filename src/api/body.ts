import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { invalidRequest, Refusal } from '../commands/refusal.ts';
import { LIMITS } from '../contracts/budgets.ts';
import { JsonFault, readJson, requireShallow } from '../domain/json.ts';
import { isSignedPath, refuseCrossSite } from './guard.ts';

const JSON_TYPE = 'application/json';
const HAS_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Refuses bodies over 1 MiB with the given error. It trusts a stated length, because Node's parser reads no further. Only bodies without
 * one are counted as they stream in, which costs a tenth of a trigger.
 */
export function limitBody(tooLarge: () => Error) {
  const limitStream = bodyLimit({
    maxSize: LIMITS.requests.bodyBytes,
    onError() {
      throw tooLarge();
    },
  });
  return createMiddleware(async (c, next) => {
    if (c.req.header('transfer-encoding') !== undefined) return limitStream(c, next);
    if (Number(c.req.header('content-length') ?? 0) > LIMITS.requests.bodyBytes) throw tooLarge();
    await next();
  });
}

/**
 * Refuses bodies that are not JSON in UTF-8, or that another reader could understand differently, before any schema checks them. On a route
 * that does not require a body, it may be missing, but then the request must not come from a web page of another site.
 */
export function requireJson(asksForBody: (c: Context) => boolean) {
  return createMiddleware(async (c, next) => {
    if (HAS_BODY.has(c.req.method)) {
      if (hasBody(c) || asksForBody(c)) await requireSoundJson(c);
      else {
        refuseCrossSite(c);
        // With a type but no body, the schema would look for a body.
        setContentType(c, undefined);
      }
    }
    await next();
  });
}

/** Refuses NUL in a path or a query. No id or name contains it, and Postgres accepts it in no text. */
export const refuseNul = createMiddleware(async (c, next) => {
  if (c.req.url.includes('%00')) throw invalidRequest([{ path: 'url', message: 'holds the character NUL' }]);
  await next();
});

function hasBody(c: Context): boolean {
  return Number(c.req.header('content-length') ?? 0) > 0 || c.req.header('transfer-encoding') !== undefined;
}

/** Replaces the type of the body, which can no longer be read from the request. */
function setContentType(c: Context, type: string | undefined): void {
  const headers = new Headers(c.req.raw.headers);
  if (type === undefined) headers.delete('content-type');
  else headers.set('content-type', type);
  c.req.raw = new Request(c.req.url, { method: c.req.method, headers });
}

async function requireSoundJson(c: Context): Promise<void> {
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== JSON_TYPE) {
    throw new Refusal('unsupported_media_type', { detail: 'send the header Content-Type: application/json' });
  }
  const text = await textOf(c, (detail) => new Refusal('malformed_json', { detail }));
  // The routes know fewer ways to write the type than HTTP allows.
  if (c.req.header('content-type') !== JSON_TYPE) setContentType(c, JSON_TYPE);
  // The schema reads this text. Hono would decode the bytes through another Response.
  c.req.bodyCache = { text: Promise.resolve(text) as never };
  try {
    // Deliveries of webhooks are not checked further: they are signed as they are, and Hapax reads little of them.
    if (isSignedPath(c.req.path)) requireShallow(text);
    else readJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { message, path } = error;
    if (path) throw invalidRequest([{ path: ['body', ...path].join('.'), message }]);
    throw new Refusal('malformed_json', { detail: message });
  }
}

/** Returns the body of a request. @throws what `fault` returns if it is not UTF-8, so that no byte changes silently. */
export async function textOf(c: Context, fault: (detail: string) => Error): Promise<string> {
  const bytes = await c.req.arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fault('the body is not UTF-8');
  }
}
