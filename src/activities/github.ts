import { activityInfo, heartbeat } from '@temporalio/activity';
import type { DispatchOutcome, RunView } from '../contracts/github.ts';
import { type GitHub, GitHubError } from '../integrations/github.ts';
import { findBuild } from '../store/build-find.ts';
import type { Db } from '../store/database.ts';
import type { GitHubPort, WritePort } from '../workflows/ports/github.ts';
import { NotYet } from './failures.ts';
import type { ActivityMeter } from './meter.ts';

/** A run that answers 404 for this many looks in a row is gone: deleted, or no longer ours to see. */
const LOOKS_UNTIL_GONE = 20;

export function githubActivities(db: Db, github: GitHub, meter?: ActivityMeter): GitHubPort & WritePort {
  return {
    async reserveWrite() {
      return { wait_ms: await github.reserveWrite() };
    },

    async dispatchRun({ build_id, request, correlation, intended_by }) {
      // Asked here and not in the workflow: there the answer would change with the reset, and its replay with it.
      if (activityInfo().workflowExecution?.runId !== intended_by) {
        return sentByAnotherRun(db, build_id, correlation !== null);
      }
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

    readRun: ({ repository, run_id, run_attempt }) =>
      unlessGone({ run_id, run_attempt }, () => github.read(repository, run_id)),

    async findRun({ repository, run_id }) {
      try {
        return await github.read(repository, run_id);
      } catch (error) {
        if (error instanceof GitHubError && error.status === 404) return null;
        throw error;
      }
    },

    findRuns: ({ repository, ...sought }) => github.find(repository, sought),

    cancelRun: ({ repository, run_id }) => github.cancel(repository, run_id),

    async awaitRunChange({ repository, run_id, seen, interval_ms }) {
      let looked: RunView | Awaited<ReturnType<GitHub['changed']>>;
      try {
        looked = await unlessGone({ run_id, run_attempt: seen.run_attempt }, () =>
          github.changed(repository, run_id, seen, interval_ms),
        );
      } catch (error) {
        if (!(error instanceof GitHubError)) throw error;
        throw new NotYet(error.message, Math.max(interval_ms, error.retryAfterMs ?? 0));
      }
      if ('lookAgainMs' in looked) throw new NotYet(`run ${run_id} is still ${seen.status}`, looked.lookAgainMs);
      return 'view' in looked ? looked.view : looked;
    },
  };
}

/**
 * What became of a POST that an earlier run of the workflow intended. The record says where it had been answered; while that
 * is away nobody knows.
 */
async function sentByAnotherRun(db: Db, buildId: number, correlated: boolean): Promise<DispatchOutcome> {
  const { workflow_run_id = null, run_url = null } = (await findBuild(db, buildId)) ?? {};
  if (workflow_run_id !== null) {
    return { kind: 'accepted', run_id: workflow_run_id, run_url: run_url ?? '', correlated, request_id: null };
  }
  const reason = 'an earlier run of this workflow may have sent it';
  return { kind: 'ambiguous', reason, accepted: false, correlated, request_id: null };
}

/** What a look at a run shows: that it was deleted, after many looks in a row that were answered with 404. */
async function unlessGone<View extends object>(
  { run_id, run_attempt }: Pick<RunView, 'run_id' | 'run_attempt'>,
  look: () => Promise<View>,
): Promise<View | RunView> {
  // Heartbeat details outlive the attempt, so they count the looks that found nothing.
  const missed = (activityInfo().heartbeatDetails as number | undefined) ?? 0;
  try {
    const view = await look();
    // A listing that another worker has not read lately says nothing.
    if (missed > 0) heartbeat('asked' in view && !view.asked ? missed : 0);
    return view;
  } catch (error) {
    if (!(error instanceof GitHubError) || error.status !== 404) throw error;
    if (missed + 1 < LOOKS_UNTIL_GONE) {
      heartbeat(missed + 1);
      throw error;
    }
    return { run_id, run_url: '', status: 'completed', conclusion: 'run_deleted', run_attempt, request_id: null };
  }
}
