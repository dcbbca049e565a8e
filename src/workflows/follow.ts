import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { BuildInput } from '../contracts/build-workflow.ts';
import type { Run, RunView } from '../contracts/github.ts';
import { githubActivities } from './activities.ts';
import type { Operator } from './operator.ts';
import type { Tell } from './teller.ts';

/** How a followed run ended. */
export interface Ended {
  conclusion: string;
  run_attempt: number | null;
  learned_from: 'poll' | 'deadline' | 'operator' | 'dispatch';
  request_id: string | null;
}

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
  let last: RunView | undefined;
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
  const { conclusion = null, run_attempt = null, request_id = null } = last ?? {};
  if (last?.status === 'completed' && (inTime || conclusion !== 'cancelled')) {
    return { conclusion: conclusion ?? 'unknown', run_attempt, learned_from: 'poll', request_id };
  }
  return inTime
    ? { conclusion: 'cancelled', run_attempt, learned_from: 'operator', request_id }
    : { conclusion: 'timed_out', run_attempt, learned_from: 'deadline', request_id };

  async function untilCompleted(): Promise<void> {
    for (let changes = 1; ; changes++) {
      const view = await github.awaitRunChange({ ...target, seen, interval_ms: policy.poll_interval_ms });
      if (view.status !== 'completed') {
        await tell('run_updated', `run:${changes}:${view.run_attempt}:${view.status}`, {
          run_status: view.status,
          run_attempt: view.run_attempt,
          learned_from: 'poll',
          request_id: view.request_id,
        });
      }
      seen = { status: view.status, run_attempt: view.run_attempt };
      last = view;
      if (view.status === 'completed') return;
    }
  }
}
