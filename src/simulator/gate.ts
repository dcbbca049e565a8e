import { createHash, randomBytes } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import { type Answer, refusal } from './answer.ts';
import type { DialectKind } from './dialects/kind.ts';
import { unknownField } from './dispatch.ts';
import { type Fault, type FaultQueue, type RequestKind, statusOf, strikesBefore, strikesListing } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { RateLimit } from './resources.ts';
import type { Settings } from './settings.ts';

/** A request of the simulated API, as its endpoint sees it. */
export interface GitHubRequest {
  url: URL;
  /** Text of the body; empty without one. */
  text: string;
  params: Record<string, string>;
  apiVersion: string;
  /** A fault that changes what a listing shows. */
  listingFault: Fault | undefined;
  rateLimit(): RateLimit;
}

/** Decides on a response. It knows nothing of faults. */
export type Endpoint = (request: GitHubRequest) => Answer;

type NodeContext = Context<{ Bindings: HttpBindings }>;

/** Wraps every endpoint. */
export interface Gate {
  /** Returns an HTTP handler that counts the request, applies the next matching fault, and adds GitHub's headers. */
  guard(kind: RequestKind, endpoint: Endpoint): (context: NodeContext) => Promise<Response>;
}

const API_VERSIONS = ['2022-11-28', '2026-03-10'];
const HOUR_MS = 3_600_000;

/** See `Gate`. */
export function openGate(
  ledger: Ledger,
  faults: FaultQueue,
  settings: () => Settings,
  dialect: DialectKind = 'github',
): Gate {
  const isGitHub = dialect === 'github';
  let windowEndsAt = 0;
  let used = 0;

  function rateLimit(): RateLimit {
    if (Date.now() >= windowEndsAt) {
      windowEndsAt = Date.now() + HOUR_MS;
      used = 0;
    }
    const limit = settings().rate_limit;
    return {
      limit,
      used,
      remaining: Math.max(0, limit - used),
      reset: Math.floor((windowEndsAt + settings().clock_off_ms) / 1_000),
    };
  }

  function refuse(context: NodeContext, kind: RequestKind, apiVersion: string): Answer | undefined {
    const token = /^(?:bearer|token) (.+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    if (settings().require_token) {
      if (token === undefined) return refusal(401, 'Requires authentication');
      if (token === 'bad') return refusal(401, 'Bad credentials');
    }
    if (!isGitHub) return undefined;
    if (!API_VERSIONS.includes(apiVersion)) return refusal(400, `"${apiVersion}" is not a supported version.`);
    if (kind !== 'rate_limit' && rateLimit().remaining === 0) {
      return refusal(403, 'API rate limit exceeded for user ID 1.');
    }
    return undefined;
  }

  function write(context: NodeContext, kind: RequestKind, answer: Answer): Response {
    if (!isGitHub) return writeBare(answer, settings().clock_off_ms);
    const body =
      answer.body === undefined ? null : typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    const headers = new Headers({ 'x-github-media-type': 'github.v3; format=json' });
    let status = answer.status;
    if (body !== null) headers.set('content-type', 'application/json; charset=utf-8');
    if (context.req.method === 'GET' && status === 200 && body !== null && kind !== 'rate_limit') {
      const etag = `W/"${createHash('sha256').update(body).digest('hex')}"`;
      headers.set('etag', etag);
      headers.set('cache-control', 'private, max-age=60, s-maxage=60');
      const known = context.req.header('if-none-match')?.split(',') ?? [];
      if (known.some((one) => one.trim().replace(/^(W\/)?/, 'W/') === etag)) status = 304;
    }
    if (status === 304) ledger.countNotModified();
    else if (kind !== 'rate_limit') used += 1;
    const limit = rateLimit();
    headers.set('x-ratelimit-limit', String(limit.limit));
    headers.set('x-ratelimit-remaining', String(limit.remaining));
    headers.set('x-ratelimit-used', String(limit.used));
    headers.set('x-ratelimit-reset', String(limit.reset));
    headers.set('x-ratelimit-resource', 'core');
    headers.set('date', new Date(Date.now() + settings().clock_off_ms).toUTCString());
    headers.set('x-github-request-id', `SIM:${randomBytes(8).toString('hex').toUpperCase()}`);
    for (const [name, value] of Object.entries(answer.headers ?? {})) headers.set(name, value);
    return new Response(status === 304 ? null : body, { status, headers });
  }

  return {
    guard: (kind, endpoint) => async (context) => {
      if (settings().down) return cutOff(context);
      const url = new URL(context.req.url);
      const text = await context.req.text();
      ledger.countRequest(kind);
      const fault = faults.take(kind, `${url.pathname}${url.search} ${text}`);
      if (fault !== undefined && strikesBefore(fault.kind)) {
        if (fault.kind === 'reset') return cutOff(context);
        if (fault.kind === 'hang') return RESPONSE_ALREADY_SENT;
        return write(context, kind, rejection(fault, settings().clock_off_ms));
      }
      const apiVersion = context.req.header('x-github-api-version') ?? '2022-11-28';
      const refused = refuse(context, kind, apiVersion);
      if (refused !== undefined) return write(context, kind, refused);

      const listingFault = fault !== undefined && strikesListing(fault.kind) ? fault : undefined;
      const params = context.req.param() as Record<string, string>;
      const answer = endpoint({ url, text, params, apiVersion, listingFault, rateLimit });
      if (fault?.kind === 'accept-then-reset') return cutOff(context);
      if (fault?.kind === 'accept-then-hang') return RESPONSE_ALREADY_SENT;
      // A fault of the response needs a response that would have been good.
      return write(context, kind, fault === undefined || answer.status >= 400 ? answer : spoil(answer, fault));
    },
  };
}

/** Writes a response without what only GitHub has: ETags, limits, request ids. Refusals have the form of Gitea and Forgejo. */
function writeBare({ status, body, headers = {} }: Answer, clockOffMs: number): Response {
  const said = isRefusal(body) ? { message: body.message, url: '/api/swagger' } : body;
  const text = said === undefined ? null : typeof said === 'string' ? said : JSON.stringify(said);
  const date = new Date(Date.now() + clockOffMs).toUTCString();
  const type = text === null ? {} : { 'content-type': 'application/json;charset=utf-8' };
  return new Response(text, { status, headers: { date, ...type, ...headers } });
}

function isRefusal(body: unknown): body is { message: string } {
  return typeof body === 'object' && body !== null && 'documentation_url' in body;
}

/** Destroys the connection: the client sees a reset, and learns nothing. */
function cutOff(context: NodeContext): Response {
  context.env.incoming.socket.resetAndDestroy();
  return RESPONSE_ALREADY_SENT;
}

function rejection(fault: Fault, clockOffMs: number): Answer {
  switch (fault.kind) {
    case '400-on-unknown-field':
      return unknownField('return_run_details');
    case 'primary-rate-limit':
      return refusal(fault.status, fault.message ?? 'API rate limit exceeded for user ID 1.', {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil((Date.now() + clockOffMs) / 1_000) + fault.reset_in_s),
        ...retryAfter(fault),
      });
    case 'secondary-rate-limit': {
      const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
      return refusal(fault.status, fault.message ?? message, retryAfter(fault));
    }
    default: {
      const status = statusOf(fault.kind) ?? 500;
      return refusal(
        status,
        fault.message ?? messages[status] ?? 'Server Error',
        status === 403 ? withoutRateLimit : {},
      );
    }
  }
}

const messages: Record<number, string> = {
  400: 'Problems parsing JSON',
  401: 'Bad credentials',
  403: 'Resource not accessible by personal access token',
  404: 'Not Found',
  409: 'Conflict',
  422: 'No ref found for: main',
  503: 'Service Unavailable',
};

// A 403 for missing rights differs from a rate limit: the budget is not used up.
const withoutRateLimit = { 'x-accepted-github-permissions': 'actions=write' };

function retryAfter(fault: Fault): Record<string, string> {
  return fault.retry_after_s === undefined ? {} : { 'retry-after': String(fault.retry_after_s) };
}

function spoil(answer: Answer, fault: Fault): Answer {
  switch (fault.kind) {
    case 'malformed-200':
      return { status: 200, body: '{"workflow_run_id": 17, "run_u' };
    case '200-without-id':
      return { status: 200, body: {} };
    case '204-when-asked-for-details':
      return { status: 204 };
    default: {
      const status = statusOf(fault.kind);
      return status === undefined ? answer : refusal(status, fault.message ?? 'Server Error');
    }
  }
}
