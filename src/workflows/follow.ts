import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { BuildInput } from '../contracts/build-workflow.ts';
import type { Run, RunView } from '../contracts/github.ts';
import { githubActivities } from './activities.ts';
import type { Tell } from './teller.ts';

/** How a followed run ended. */
export interface Ended {
  conclusion: string;
  run_attempt: number | null;
  learned_from: 'poll' | 'deadline';
  request_id: string | null;
}

/** How long a run that was told to stop may take to do so before the build ends without waiting for it. */
const CANCEL_GRACE_MS = 600_000;

/** Follows a run until GitHub confirms its end, or the deadline ends it. Waiting costs no worker slot and no history. */
export async function follow(input: BuildInput, tell: Tell, run: Run, deadline: number): Promise<Ended> {
  const { policy, request } = input;
  const github = githubActivities(policy.request_timeout_ms);
  const target = { repository: request.repository, run_id: run.run_id };
  let seen = { status: '', run_attempt: 0 };
  let changes = 0;

  const view = await before(deadline, untilCompleted);
  if (view) return ended(view, 'poll');

  const stopped = await before(Date.now() + CANCEL_GRACE_MS, async () => {
    await github.cancelRun(target);
    return untilCompleted();
  });
  // A run that ended by itself while we were stopping it keeps its own word.
  if (stopped && stopped.conclusion !== 'cancelled') return ended(stopped, 'poll');
  return {
    conclusion: 'timed_out',
    run_attempt: stopped?.run_attempt ?? null,
    learned_from: 'deadline',
    request_id: stopped?.request_id ?? null,
  };

  async function untilCompleted(): Promise<RunView> {
    for (;;) {
      const view = await github.awaitRunChange({ ...target, seen, interval_ms: policy.poll_interval_ms });
      if (view.status === 'completed') return view;
      seen = { status: view.status, run_attempt: view.run_attempt };
      changes += 1;
      await tell('run_updated', `run:${changes}:${view.run_attempt}:${view.status}`, {
        run_status: view.status,
        run_attempt: view.run_attempt,
        learned_from: 'poll',
        request_id: view.request_id,
      });
    }
  }
}

function ended(view: RunView, learnedFrom: Ended['learned_from']): Ended {
  const { run_attempt, request_id } = view;
  return { conclusion: view.conclusion ?? 'unknown', run_attempt, learned_from: learnedFrom, request_id };
}

/** What `work` returns, or undefined where it is not done at the given time (epoch milliseconds). */
async function before<T>(time: number, work: () => Promise<T>): Promise<T | undefined> {
  const remaining = time - Date.now();
  if (remaining <= 0) return undefined;
  try {
    return await CancellationScope.withTimeout(remaining, work);
  } catch (error) {
    if (isCancellation(error) && !CancellationScope.current().consideredCancelled) return undefined;
    throw error;
  }
}
