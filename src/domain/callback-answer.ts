import type { CallbackOutcome } from '../contracts/callback-workflow.ts';

/** What a receiver answered, or why there is no answer. */
export type CallbackAnswer =
  | { status: number; retryAfter: string | undefined; body: string }
  | { status: null; reason: string };

/**
 * n8n's two kinds of 409 (observed with 1.123.81): the execution has not reached the node that waits for us, which it will
 * in a moment; or it has ended, and nobody will ever wait.
 */
const N8N_NOT_YET = 'is running already';
const N8N_NO_MORE = 'has finished already';

/**
 * What an answer to a callback means. Only a 2xx is a delivery; everything else is tried again, unless the receiver says
 * that it is gone.
 * @param now epoch milliseconds, for a `Retry-After` that names a date.
 */
export function callbackOutcome(answer: CallbackAnswer, now: number): CallbackOutcome {
  const { status } = answer;
  if (status === null) return { kind: 'failed', status, reason: answer.reason, wait_ms: 0 };
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === 410) return { kind: 'final', status, reason: 'the receiver is gone for good (410)' };
  if (status === 409 && answer.body.includes(N8N_NOT_YET)) {
    return { kind: 'early', status, reason: 'the n8n execution does not wait for it yet' };
  }
  if (status === 409 && answer.body.includes(N8N_NO_MORE)) {
    return { kind: 'final', status, reason: 'the n8n execution has ended' };
  }
  const redirect = status >= 300 && status < 400;
  const reason = redirect ? `a redirect (${status}), and redirects are not followed` : `answered with ${status}`;
  return { kind: 'failed', status, reason, wait_ms: retryAfterMs(answer.retryAfter, now) };
}

/** Milliseconds that a `Retry-After` header asks for, in seconds or as a date (RFC 9110, 10.2.3); 0 where it says neither. */
function retryAfterMs(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
