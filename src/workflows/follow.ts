import { CancellationScope, condition, isCancellation, setHandler } from '@temporalio/workflow';
import type { BuildInput } from '../contracts/build-workflow.ts';
import type { Run, RunView } from '../contracts/github.ts';
import { githubActivities } from './activities.ts';
import { runChangedSignal } from './messages.ts';
import type { Operator } from './operator.ts';
import type { Tell } from './teller.ts';

/** How a followed run ended. */
export interface Ended {
  conclusion: string;
  run_attempt: number | null;
  learned_from: 'webhook' | 'poll' | 'deadline' | 'operator' | 'dispatch';
  request_id: string | null;
  /** Of the webhook that made us look, if one did. */
  delivery_id?: string;
}

/** While webhooks arrive, polls are this much rarer: they only guard against a lost one. */
const WIDENING = 5;

/** How long a run that was told to stop may take to do so before the build ends without waiting for it. */
const CANCEL_GRACE_MS = 600_000;

/**
 * Follows a run until GitHub confirms its end. At the deadline, or when an operator wants it, the run is cancelled and
 * followed a while longer. Waiting costs no worker slot and no history.
 * @param seen what is known of the run: an end of this attempt is an old one.
 */
export async function follow(
  input: BuildInput,
  tell: Tell,
  run: Run,
  operator: Operator,
  seen: { status: string; run_attempt: number } = { status: '', run_attempt: 0 },
): Promise<Ended> {
  const { policy, request } = input;
  const github = githubActivities(policy.request_timeout_ms);
  const target = { repository: request.repository, run_id: run.run_id };
  const following = new CancellationScope();
  let last: (RunView & { delivery_id?: string }) | undefined;
  const woken: Array<{ delivery_id: string }> = [];
  setHandler(runChangedSignal, ({ run_id, delivery_id }) => {
    if (run_id === run.run_id) woken.push({ delivery_id });
  });
  let failure: unknown;
  void following.run(untilCompleted).catch((error: unknown) => {
    failure = error;
  });
  const settled = () => last?.status === 'completed' || failure !== undefined;

  const inTime = await condition(() => settled() || operator.cancelledBy !== undefined, policy.deadline_ms);
  if (!settled()) {
    if (inTime) await tell('cancel_requested', 'cancel', { by: operator.cancelledBy! });
    await CancellationScope.withTimeout(CANCEL_GRACE_MS, async () => {
      await github.cancelRun(target);
      await condition(settled);
    }).catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
  }
  following.cancel();
  if (failure !== undefined && !isCancellation(failure)) throw failure;

  // A run that ended by itself while it was being stopped keeps its own word.
  const { conclusion = null, run_attempt = null, request_id = null, delivery_id } = last ?? {};
  if (last?.status === 'completed' && (inTime || conclusion !== 'cancelled')) {
    const learned =
      delivery_id === undefined ? { learned_from: 'poll' as const } : { learned_from: 'webhook' as const, delivery_id };
    return { conclusion: conclusion ?? 'unknown', run_attempt, request_id, ...learned };
  }
  return inTime
    ? { conclusion: 'cancelled', run_attempt, learned_from: 'operator', request_id }
    : { conclusion: 'timed_out', run_attempt, learned_from: 'deadline', request_id };

  async function untilCompleted(): Promise<void> {
    let interval_ms = policy.poll_interval_ms;
    for (let changes = 1; ; changes++) {
      const { view, delivery_id } = await nextChange(interval_ms);
      // A change that a poll found first means that webhooks do not arrive.
      interval_ms = delivery_id === undefined ? policy.poll_interval_ms : policy.poll_interval_ms * WIDENING;
      if (view.status !== 'completed') {
        await tell('run_updated', `run:${changes}:${view.run_attempt}:${view.status}`, {
          run_status: view.status,
          run_attempt: view.run_attempt,
          learned_from: delivery_id === undefined ? 'poll' : 'webhook',
          request_id: view.request_id,
          ...(delivery_id === undefined ? {} : { delivery_id }),
        });
      }
      seen = { status: view.status, run_attempt: view.run_attempt };
      last = { ...view, ...(delivery_id === undefined ? {} : { delivery_id }) };
      if (view.status === 'completed') return;
    }
  }

  /** The next difference that GitHub confirms, looked for at every webhook and, besides, by polling. */
  async function nextChange(interval_ms: number): Promise<{ view: RunView; delivery_id?: string }> {
    const polling = new CancellationScope();
    let polled: RunView | undefined;
    let broken: unknown;
    void polling
      .run(() => github.awaitRunChange({ ...target, seen, interval_ms }))
      .then(
        (view) => (polled = view),
        (error: unknown) => (broken = error),
      );
    for (;;) {
      await condition(() => polled !== undefined || broken !== undefined || woken.length > 0);
      if (polled) return { view: polled };
      if (broken !== undefined) throw broken;
      const { delivery_id } = woken.splice(0).at(-1)!;
      const view = await github.readRun(target);
      if (view.status === seen.status && view.run_attempt === seen.run_attempt) continue;
      polling.cancel();
      return { view, delivery_id };
    }
  }
}
