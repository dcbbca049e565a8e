import { activityInfo, heartbeat } from '@temporalio/activity';
import type { DispatchOutcome } from '../contracts/github.ts';
import { type GitHub, GitHubError } from '../integrations/github.ts';
import type { GitHubPort, WritePort } from '../workflows/ports/github.ts';
import { NotYet } from './failures.ts';
import type { ActivityMeter } from './meter.ts';

/** A run that answers 404 for this many looks in a row is gone: deleted, or no longer ours to see. */
const LOOKS_UNTIL_GONE = 20;

export function githubActivities(github: GitHub, meter?: ActivityMeter): GitHubPort & WritePort {
  return {
    async reserveWrite() {
      return { wait_ms: await github.reserveWrite() };
    },

    async dispatchRun({ request, correlation, intended_by }) {
      // Asked here and not in the workflow: there the answer would change with the reset, and its replay with it.
      if (activityInfo().workflowExecution?.runId !== intended_by) return sentByAnotherRun(correlation !== null);
      const outcome = await github.dispatch(request, correlation);
      meter?.dispatched(outcome.kind);
      return outcome;
    },

    async rerunRun({ repository, run_id, failed_jobs_only, intended_by }) {
      if (activityInfo().workflowExecution?.runId !== intended_by) {
        return { kind: 'ambiguous', reason: 'an earlier run of this workflow may have sent it', request_id: null };
      }
      return github.rerun(repository, run_id, failed_jobs_only);
    },

    readRun: ({ repository, run_id }) => github.read(repository, run_id),

    findRuns: ({ repository, ...sought }) => github.find(repository, sought),

    cancelRun: ({ repository, run_id }) => github.cancel(repository, run_id),

    async awaitRunChange({ repository, run_id, seen, interval_ms }) {
      let looked: Awaited<ReturnType<GitHub['changed']>>;
      try {
        looked = await github.changed(repository, run_id, seen, interval_ms);
      } catch (error) {
        if (!(error instanceof GitHubError)) throw error;
        if (error.status === 404) {
          // Heartbeat details outlive the attempt, so they count the looks that found nothing.
          const missing = ((activityInfo().heartbeatDetails as number | undefined) ?? 0) + 1;
          if (missing >= LOOKS_UNTIL_GONE) return gone(run_id, seen.run_attempt);
          heartbeat(missing);
        }
        throw new NotYet(error.message, Math.max(interval_ms, error.retryAfterMs ?? 0));
      }
      if ('view' in looked) return looked.view;
      throw new NotYet(`run ${run_id} is still ${seen.status}`, looked.lookAgainMs);
    },
  };
}

function sentByAnotherRun(correlated: boolean): DispatchOutcome {
  const reason = 'an earlier run of this workflow may have sent it';
  return { kind: 'ambiguous', reason, accepted: false, correlated, request_id: null };
}

function gone(runId: number, runAttempt: number) {
  return {
    run_id: runId,
    run_url: '',
    status: 'completed',
    conclusion: 'run_deleted',
    run_attempt: runAttempt,
    request_id: null,
  };
}
