import type { DispatchOutcome, RerunOutcome, Run } from '../../contracts/github/github.ts';

/** GitHub's response, or the reason why there is none. */
export type ForgeResponse =
  | { status: number; headers: Record<string, string | undefined>; body: unknown; trouble?: Trouble }
  /**
   * No response arrived; `code` is the system's word for the reason. With `wait_ms`, nothing was sent, and the request may be sent
   * after that time; null leaves the time to the caller.
   */
  | { code: string; message: string; wait_ms?: number | null };

/** A response that arrived. */
export type Arrived = Extract<ForgeResponse, { status: number }>;

/** The reason why GitHub refuses a request that would be right: a person has to change a setting, or something at GitHub. */
export interface Trouble {
  /** One line, with what to change. */
  reason: string;
  /** How long to wait for it, in milliseconds; if left out, as long as for a GitHub that cannot be reached. */
  patience_ms?: number;
}

/**
 * Failures to connect: nothing can have been sent. Any later failure, above all a reset or a time-out, may have come after GitHub
 * took the request.
 */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Says whether a request that failed with this code was certainly not sent. */
export function neverSent(code: string): boolean {
  return BEFORE_SENDING.has(code);
}

/** The shortest pause that GitHub asks for if it names none (docs.github.com, "Rate limits for the REST API"). */
export const UNTOLD_WAIT_MS = 60_000;

/**
 * Says what a response to a dispatch means. Only what is certain counts as sent or not sent: a 5xx or a lost response does not mean
 * "not started" (pytorch/test-infra#8061).
 * @param now epoch milliseconds, for the reset time of a rate limit.
 */
export function classifyDispatch(
  answer: ForgeResponse,
  correlated: boolean,
  now: number,
  forge = 'GitHub',
): DispatchOutcome {
  const outcome = classifyWrite(answer, now, forge);
  if (outcome.kind === 'ambiguous') return { ...outcome, accepted: false, correlated };
  if (outcome.kind !== 'done') return outcome;
  const { status, request_id } = outcome;
  const run = namedRun(outcome.body);
  if (run) return { kind: 'accepted', ...run, correlated, request_id };
  const reason = `${forge} answered ${status} without naming the run`;
  return { kind: 'ambiguous', reason, accepted: true, correlated, request_id };
}

/** Says what a response to a request for a rerun means. */
export function classifyRerun(answer: ForgeResponse, now: number, forge = 'GitHub'): RerunOutcome {
  const outcome = classifyWrite(answer, now, forge);
  return outcome.kind === 'done' ? { kind: 'done', request_id: outcome.request_id } : outcome;
}

function classifyWrite(
  answer: ForgeResponse,
  now: number,
  forge: string,
):
  | Exclude<RerunOutcome, { kind: 'done' }>
  | { kind: 'done'; status: number; body: unknown; request_id: string | null } {
  if ('code' in answer) {
    if (answer.wait_ms !== undefined) return { kind: 'not_sent', reason: answer.message, wait_ms: answer.wait_ms };
    if (neverSent(answer.code)) {
      return { kind: 'not_sent', reason: `${forge} cannot be reached (${answer.code})`, wait_ms: null };
    }
    return { kind: 'ambiguous', reason: `no answer: ${answer.message}`, request_id: null };
  }
  const { status, headers, body } = answer;
  const request_id = headers['x-github-request-id'] ?? null;
  if (status >= 200 && status < 300) return { kind: 'done', status, body, request_id };
  if (answer.trouble) {
    const { reason, patience_ms } = answer.trouble;
    const refusal =
      patience_ms === undefined ? {} : { refusal: { status, message: messageOf(body), request_id, patience_ms } };
    return { kind: 'not_sent', reason, wait_ms: null, ...refusal };
  }
  if (!isRefusal(status)) return { kind: 'ambiguous', reason: `${forge} answered ${status}`, request_id };
  const wait = rateLimitWait(status, headers, body, now);
  if (wait !== undefined) return { kind: 'not_sent', reason: `rate limited by ${forge} (${status})`, wait_ms: wait };
  return { kind: 'rejected', status, message: messageOf(body), request_id };
}

/** Says whether a status means that nothing was done. A server that says 408 may have begun something and waited for the rest. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408;
}

/** A limit of a forge lasts an hour at most. A longer wait is a fault, such as a time in the place of seconds. */
const LONGEST_LIMIT_MS = 86_400_000;

/**
 * Returns how long GitHub wants us to wait, in milliseconds: a day at most; undefined if a response is no rate limit. A limited request
 * was not executed.
 * @param now epoch milliseconds; used only if the response does not tell the time of GitHub's own clock.
 */
export function rateLimitWait(
  status: number,
  headers: Record<string, string | undefined>,
  body: unknown,
  now: number,
): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const clock = clockOf(headers) ?? now;
  const { 'retry-after': retryAfter } = headers;
  if (retryAfter !== undefined) {
    const seconds = Number(retryAfter);
    const date = Date.parse(retryAfter);
    if (seconds >= 0) return limitMs(seconds * 1_000);
    if (Number.isNaN(seconds) && !Number.isNaN(date)) return limitMs(date - clock);
  }
  if (headers['x-ratelimit-remaining'] === '0') {
    const reset = Number(headers['x-ratelimit-reset']) * 1_000;
    return Number.isFinite(reset) ? limitMs(reset - clock) : UNTOLD_WAIT_MS;
  }
  if (status === 429 || /rate limit/i.test(messageOf(body))) return UNTOLD_WAIT_MS;
  return undefined;
}

function limitMs(ms: number): number {
  return Math.min(Math.max(1_000, ms), LONGEST_LIMIT_MS);
}

/** Returns the time of GitHub's clock when it responded, in epoch milliseconds; undefined if the response does not tell. */
export function clockOf(headers: Record<string, string | undefined>): number | undefined {
  const date = Date.parse(headers.date ?? '');
  return Number.isNaN(date) ? undefined : date;
}

/**
 * How far GitHub's clock is ahead of ours, milliseconds. Its answer shows whole seconds and took its time on the way, so a difference that
 * may come from these alone counts as none.
 * @param shown what its clock showed. @param sentAt when the request was sent, @param receivedAt when the answer came; epoch milliseconds.
 */
export function clockAhead(shown: number, sentAt: number, receivedAt: number): number {
  const least = shown - receivedAt;
  const most = shown + 999 - sentAt;
  return least <= 0 && most >= 0 ? 0 : (least + most) / 2;
}

/** Returns GitHub's own words for a refusal. */
export function messageOf(body: unknown): string {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : body;
  return typeof message === 'string' && message !== '' ? message.slice(0, 500) : 'no reason given';
}

function namedRun(body: unknown): Run | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { workflow_run_id: id, html_url: page, run_url: api } = body as Record<string, unknown>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id <= 0) return undefined;
  const url = typeof page === 'string' ? page : typeof api === 'string' ? api : '';
  return { run_id: id, run_url: url };
}
