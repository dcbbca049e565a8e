import { CancellationScope, condition, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { Run } from '../../contracts/github/github.ts';
import { TRIGGERED } from '../../domain/builds/event-keys.ts';
import { shadowActivities } from '../activities.ts';
import type { ShadowedBuild } from '../ports/shadow.ts';
import type { NoRun } from './not-done.ts';
import type { OpenBuild } from './open-build.ts';
import { FEWEST_READS } from './reconcile.ts';

/** How many times to look for a run, about. A look takes some 11 events, and Temporal allows a workflow 51,200. */
const LOOKS = 1_000;

/** How long a build that has ended may stay open to look for doubled runs, in milliseconds: an equal request waits for it. */
const LAST_LOOK_MS = 60_000;

/**
 * Waits for the run that another program starts for the request of this build. Sends nothing. Lists of runs lag, so it looks for
 * longer than it may take to make the run.
 */
export async function awaitOtherRun(build: OpenBuild): Promise<{ run: Run; abandoned: string[] } | { none: NoRun }> {
  const { input, state, operator, recordEvent } = build;
  const { policy } = input;
  state.phase = 'waiting_for_other_run';
  const { until } = await recordEvent('dispatch_withheld', 'withheld', { until: input.dedup_until });
  setCurrentDetails('Waits for the run of another program');
  const looksUntil = Date.parse(until) + policy.reconcile_window_ms;
  const pauseMs = Math.max(policy.poll_interval_ms, (looksUntil - Date.parse(input.created_at)) / LOOKS);
  for (let reads = 1; ; reads++) {
    const startedAt = Date.now();
    const looked = await Promise.race([
      shadowActivities(policy.request_timeout_ms).takeOtherRun(shadowedOf(build, until)),
      condition(() => operator.cancelledBy !== undefined),
    ]);
    if (operator.cancelledBy !== undefined && !looked?.run) {
      return none('cancelled', 'cancelled before the other program started a run');
    }
    if (looked?.run) {
      const { run_id, run_url } = looked.run;
      const recorded = await recordEvent('workflow_triggered', TRIGGERED, {
        attempt: 0,
        workflow_run_id: run_id,
        run_url,
        learned_from: 'listing',
        correlated: false,
        request_id: null,
      });
      return { run: { run_id: recorded.workflow_run_id, run_url: recorded.run_url }, abandoned: [] };
    }
    if (startedAt >= looksUntil && reads >= FEWEST_READS) {
      const unless = looked?.complete ? '' : ', unless it is among more runs than Hapax reads';
      return none('not_started', `the other program started no run${unless}`);
    }
    await operator.pause(pauseMs);
  }
}

/** Records further runs that the other program made for the request of this build, once it has ended. */
export async function recordDoubledRuns(build: OpenBuild): Promise<void> {
  const { input, record } = build;
  if (!input.request.shadow) return;
  const { takeDoubledRuns } = shadowActivities(input.policy.request_timeout_ms);
  const doubled = await CancellationScope.withTimeout(LAST_LOOK_MS, () =>
    takeDoubledRuns(shadowedOf(build, new Date().toISOString())),
  ).catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
    return [];
  });
  for (const { run_id, run_url } of doubled) {
    await record.under('')('run_doubled', `doubled:${run_id}`, { workflow_run_id: run_id, run_url });
  }
}

function shadowedOf({ input }: OpenBuild, until: string): ShadowedBuild {
  const { build_id, request, created_at } = input;
  return { build_id, request, created_at, until };
}

function none(conclusion: NoRun['conclusion'], reason: string): { none: NoRun } {
  return { none: { conclusion, reason, attempts: 0 } };
}
