import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { invalidRequest, Refusal } from '../commands/refusal.ts';
import { LIMITS } from '../contracts/budgets.ts';
import { JsonFault, readJson } from '../domain/json.ts';
import { isSignedPath, refuseCrossSite } from './guard.ts';

const HAS_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Refuses bodies over 1 MiB, with the error given. A stated length is believed, as Node's parser reads no further; looking at the
 * stream, which costs a tenth of a trigger, is left to bodies without one.
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
 * Refuses bodies that are not JSON in UTF-8, or that a reader would take for something else, before any schema looks at them. Where the route does not ask for a body
 * there may be none, though never from a web page of another site.
 */
export function requireJson(asksForBody: (c: Context) => boolean) {
  return createMiddleware(async (c, next) => {
    if (HAS_BODY.has(c.req.method)) {
      if (hasBody(c) || asksForBody(c)) await requireSoundJson(c);
      else {
        refuseCrossSite(c);
        // A type without a body would have the schema look for one.
        const headers = new Headers(c.req.raw.headers);
        headers.delete('content-type');
        c.req.raw = new Request(c.req.url, { method: c.req.method, headers });
      }
    }
    await next();
  });
}

/** Refuses NUL in a path or a query: no id and no name holds it, and Postgres takes it in no text. */
export const refuseNul = createMiddleware(async (c, next) => {
  if (c.req.url.includes('%00')) throw invalidRequest([{ path: 'url', message: 'holds the character NUL' }]);
  await next();
});

function hasBody(c: Context): boolean {
  return Number(c.req.header('content-length') ?? 0) > 0 || c.req.header('transfer-encoding') !== undefined;
}

async function requireSoundJson(c: Context): Promise<void> {
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal('unsupported_media_type', { detail: 'send the header Content-Type: application/json' });
  }
  const bytes = await c.req.arrayBuffer();
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal('malformed_json', { detail: 'the body is not UTF-8' });
  }
  // The schema reads this text; from the bytes Hono would make it through another Response.
  c.req.bodyCache = { text: Promise.resolve(text) as never };
  // GitHub's deliveries are GitHub's: they are signed as they are, and little of them is read.
  if (isSignedPath(c.req.path)) return;
  try {
    readJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { message, path } = error;
    if (path) throw invalidRequest([{ path: ['body', ...path].join('.'), message }]);
    throw new Refusal('malformed_json', { detail: message });
  }
}
