import { CancellationScope, condition, patched, setCurrentDetails } from '@temporalio/workflow';
import type { Happening } from '../../contracts/builds/event.ts';
import type { CallbackEvent } from '../../contracts/endings/callback.ts';
import {
  type CallbackInput,
  type CallbackMessage,
  type CallbackOutcome,
  type CallbackResult,
  type CallbackTry,
  callbackEventKey,
  callbackWorkflowId,
  targetOf,
} from '../../contracts/endings/callback-workflow.ts';
import { callbackPause } from '../../domain/endings/callback-schedule.ts';
import { callbacks, record } from '../activities.ts';
import { beginApart } from './begin-apart.ts';

/**
 * Tells a receiver that a build or task has ended: at once, and again until it responds 2xx, for three days. Every try sends the same
 * body under the same webhook-id. Records the outcome of each try in the stream of the build or task.
 */
export function callback(input: CallbackInput): Promise<CallbackResult> {
  let stopped = false;
  // After `temporal workflow cancel`, no further try is made, but the response to a try under way is still recorded.
  CancellationScope.current().cancelRequested.catch(() => {
    stopped = true;
  });
  return CancellationScope.nonCancellable(() => deliver(input, () => stopped));
}

/**
 * Starts the callbacks about an ending, one for each URL that was requested until now. The API starts those of URLs that come later.
 * @param first whether the request that made the subject named a URL.
 */
export async function beginCallbacks(about: { subject: string; ending: string }, first: boolean): Promise<void> {
  if (patched('callback-targets')) {
    await beginCallbacksTo(await record.listCallbackTargets({ subject: about.subject }), about);
  } else if (first) {
    await beginCallback(about);
  }
}

/** Starts the callbacks about an ending to these targets. */
export async function beginCallbacksTo(
  targets: readonly string[],
  about: { subject: string; ending: string },
): Promise<void> {
  await Promise.all(targets.map((target) => beginCallback({ ...about, ...targetOf(target) })));
}

/** Starts one callback, see {@link beginApart}. */
function beginCallback(input: CallbackInput): Promise<void> {
  const staticSummary = `callback about ${input.subject}`;
  return beginApart(callback, input, { workflowId: callbackWorkflowId(input), staticSummary });
}

async function deliver(input: CallbackInput, stopped: () => boolean): Promise<CallbackResult> {
  const message = await callbacks.composeCallback(input);
  const { webhook_id } = message;
  const startedAt = Date.now();
  let failures = 0;
  let before: CallbackOutcome['kind'] | undefined;
  for (let attempt = 1 + (input.tries ?? 0); ; attempt++) {
    const outcome: CallbackTry = stopped() ? STOPPED : await send(input, message);
    const went = outcome.origin === undefined ? {} : { callback_origin: outcome.origin };
    if (outcome.kind === 'delivered') {
      await tell(input, attempt, {
        type: 'callback_delivered',
        data: { webhook_id, attempt, ...went, status: outcome.status },
      });
      return { webhook_id, delivered: true, attempts: attempt };
    }
    // A receiver that is reachable again, but not ready yet, is tried as often as a new one.
    failures = outcome.kind === 'early' && before === 'failed' ? 1 : failures + 1;
    before = outcome.kind;
    const pause = pauseAfter(outcome, failures, Date.now() - startedAt);
    const next_at = pause === undefined ? null : new Date(Date.now() + pause).toISOString();
    const { status, reason } = outcome;
    await tell(input, attempt, {
      type: 'callback_failed',
      data: { webhook_id, attempt, ...went, status, reason, next_at },
    });
    setCurrentDetails(`Try ${attempt}: ${reason}; ${next_at === null ? 'given up' : `next at ${next_at}`}`);
    if (pause === undefined) return { webhook_id, delivered: false, attempts: attempt };
    await condition(stopped, pause);
  }
}

type NotDelivered = Exclude<CallbackOutcome, { kind: 'delivered' }>;

const STOPPED: NotDelivered = { kind: 'final', status: null, reason: 'stopped by an operator' };

async function send({ subject, target }: CallbackInput, message: CallbackMessage): Promise<CallbackTry> {
  try {
    return await callbacks.sendCallback({ subject, ...(target === undefined ? {} : { target }), ...message });
  } catch {
    // It may still have arrived; the receiver recognises the next try by its webhook-id.
    return { kind: 'failed', status: null, reason: 'cut off: the worker or the database went away', wait_ms: 0 };
  }
}

function pauseAfter(outcome: NotDelivered, failures: number, elapsedMs: number): number | undefined {
  if (outcome.kind === 'final') return undefined;
  return callbackPause(failures, elapsedMs, outcome.kind === 'failed' ? outcome.wait_ms : 0, Math.random());
}

async function tell(input: CallbackInput, attempt: number, told: Happening<CallbackEvent>): Promise<void> {
  const occurred_at = new Date().toISOString();
  const event = { ...told, occurred_at, dedupe_key: callbackEventKey(input, attempt) };
  await record.appendCallbackEvent({ subject: input.subject, event });
}
