import type { CallbackOutcome } from '../../contracts/endings/callback-workflow.ts';
import { retryAfterMs } from '../retry-after.ts';

/** The response of a receiver, or the reason why there is none. */
export type CallbackAnswer =
  | { status: number; retryAfter: string | undefined; body: string }
  | { status: null; reason: string };

/**
 * n8n's responses that are not 2xx (observed with 1.123.81). Every execution gets a new id, so one that has ended or was deleted
 * never waits again. A node that waits for something else may be passed, and a workflow may be activated. `says` matches n8n's words.
 * The reasons are ours, since n8n repeats the path of the webhook, which is a secret.
 */
const N8N_ANSWERS: ReadonlyArray<{ status: number; says: RegExp; kind: 'early' | 'final' | 'failed'; reason: string }> =
  [
    {
      status: 409,
      says: /is running already/,
      kind: 'early',
      reason: 'the n8n execution has not reached its Wait node yet',
    },
    { status: 409, says: /has finished already/, kind: 'final', reason: 'the n8n execution has ended' },
    { status: 409, says: /has finished with error/, kind: 'final', reason: 'the n8n execution has failed' },
    {
      status: 404,
      says: /The execution \W*\w+\W* does not exist/,
      kind: 'final',
      reason: 'the n8n execution does not exist',
    },
    {
      status: 404,
      says: /does not contain a waiting webhook with a matching path\/method/,
      kind: 'failed',
      reason: 'the n8n execution waits for another path or method; its Wait node must take POST (404)',
    },
    {
      status: 404,
      says: /is not registered/,
      kind: 'failed',
      reason: 'n8n has no such webhook: activate its workflow, and give its production URL and the method POST (404)',
    },
  ];

/**
 * Says what a response to a callback means. Only a 2xx is a delivery. Everything else is tried again, unless the receiver says that
 * it is gone.
 * @param now epoch milliseconds, for a `Retry-After` that names a date.
 */
export function callbackOutcome(answer: CallbackAnswer, now: number): CallbackOutcome {
  const { status } = answer;
  if (status === null) return { kind: 'failed', status, reason: answer.reason, wait_ms: 0 };
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === 410) return { kind: 'final', status, reason: 'the receiver is gone for good (410)' };
  const known = N8N_ANSWERS.find((one) => one.status === status && one.says.test(answer.body));
  if (known && known.kind !== 'failed') return { kind: known.kind, status, reason: known.reason };
  const redirect = status >= 300 && status < 400;
  const reason =
    known?.reason ?? (redirect ? `a redirect (${status}), and redirects are not followed` : `answered with ${status}`);
  return { kind: 'failed', status, reason, wait_ms: retryAfterMs(answer.retryAfter, now) };
}
