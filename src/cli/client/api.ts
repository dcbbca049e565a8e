import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../contracts/problem.ts';
import { EXIT, Failure, type Fault } from '../failure.ts';
import type { Target } from './target.ts';

/** Longest wait for one response. */
const TIMEOUT_MS = 60_000;
/** Pauses before a repeatable request is sent again. */
const RETRY_PAUSES_MS = [300, 1_000, 3_000];
const LONGEST_PAUSE_MS = 10_000;

export type Query = Record<string, string | number | boolean | undefined>;

export interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether sending it twice has the same effect as sending it once: a read, or a request with an Idempotency-Key. Default: only reads. */
  repeatable?: boolean;
  /** Called before it is sent again. */
  onRepeat?: () => void;
  signal?: AbortSignal;
}

/** Client of one Hapax's HTTP API. */
export class Api {
  readonly target: Target;
  constructor(target: Target) {
    this.target = target;
  }

  /** Returns the full URL of a path. */
  href(path: string, query: Query = {}): string {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    return `${this.target.url}${path}${given.length > 0 ? `?${new URLSearchParams(given as [string, string][])}` : ''}`;
  }

  /** Returns the JSON of a successful response. @throws {Failure} */
  async json<T>(path: string, request: Request = {}): Promise<T> {
    return (await this.answer<T>(path, request)).json;
  }

  /** Returns a successful response. @throws {Failure} if it is refused, or there is no response. */
  async answer<T>(path: string, request: Request = {}): Promise<{ json: T; headers: Headers }> {
    const { method = 'GET', repeatable = method === 'GET', onRepeat } = request;
    for (let tries = 0; ; tries++) {
      try {
        const response = await this.open(path, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
        return { json: (await bodyOf(response, this.target)) as T, headers: response.headers };
      } catch (error) {
        const pause = RETRY_PAUSES_MS[tries];
        if (!(error instanceof Unreachable) || !repeatable || pause === undefined) throw error;
        await sleep(Math.min(Math.max(pause, error.retryAfterMs), LONGEST_PAUSE_MS));
        onRepeat?.();
      }
    }
  }

  /** Returns the response before its body is read. @throws {Failure} if it is not a success. */
  async open(path: string, { method = 'GET', query, body, headers, signal }: Request = {}): Promise<Response> {
    const { url, key } = this.target;
    let response: Response;
    try {
      response = await fetch(this.href(path, query), {
        method,
        // A key is sent only where the user sent it.
        redirect: 'manual',
        headers: {
          accept: 'application/json',
          ...(key ? { authorization: `Bearer ${key}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      throw new Unreachable(unreachable(this.target, reasonOf(error)));
    }
    if (response.ok) return response;
    if (response.status >= 300 && response.status < 400) {
      const to = URL.parse(response.headers.get('location') ?? '', url)?.origin ?? 'another address';
      throw new Unreachable(unreachable(this.target, `it redirects to ${to}; use the address that serves Hapax`));
    }
    throw await refusalOf(response, this.target);
  }
}

/** Thrown if there is no response, or one that asks to try again. */
export class Unreachable extends Failure {
  readonly retryAfterMs: number;
  constructor(fault: Fault, retryAfterMs = 0) {
    super(EXIT.unreachable, fault);
    this.retryAfterMs = retryAfterMs;
  }
}

function unreachable({ url, from }: Target, reason: string): Fault {
  const remedy = from === 'the default' ? 'start it with "hapax up", or set HAPAX_URL' : `the address is from ${from}`;
  return { code: 'unreachable', title: `Hapax cannot be reached at ${url} (${reason})`, detail: remedy };
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `no response within ${TIMEOUT_MS / 1_000} s`;
  return cause?.code ?? cause?.message ?? message;
}

async function bodyOf(response: Response, target: Target): Promise<unknown> {
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw new Unreachable(unreachable(target, reasonOf(error)));
  }
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(EXIT.unreachable, {
      code: 'not_hapax',
      title: `${target.url} does not respond like Hapax`,
      detail: `the address is from ${target.from}`,
      status: response.status,
    });
  }
}

async function refusalOf(response: Response, target: Target): Promise<Failure> {
  const { status, headers } = response;
  const problem = (await response.json().catch(() => undefined)) as Partial<Problem> | undefined;
  const retryAfterMs = Number(headers.get('retry-after') ?? 0) * 1_000;
  const failed = (fault: Fault) =>
    status >= 500 || status === 429 || status === 408
      ? new Unreachable(fault, retryAfterMs)
      : new Failure(status === 401 || status === 403 ? EXIT.notAllowed : EXIT.usage, fault);
  if (!problem?.code || !problem.title) return failed({ ...unreachable(target, `it responds with ${status}`), status });
  const { code, title, request_id, errors } = problem;
  const detail = [problem.detail, HINTS[code]].filter(Boolean).join('; ') || undefined;
  return failed({ code, title, detail, status, ...(request_id ? { request_id } : {}), ...(errors ? { errors } : {}) });
}

/** Advice that names a command. The API does not know the commands. */
const HINTS: Partial<Record<string, string>> = {
  unauthorized: 'set HAPAX_API_KEY, or a key with: hapax profile set',
  not_found: 'list what exists, with: hapax list',
};
