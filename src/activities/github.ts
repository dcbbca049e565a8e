import { activityInfo, heartbeat } from '@temporalio/activity';
import type { ForgePlace } from '../contracts/forges/forge.ts';
import type { DispatchOutcome, RerunOutcome, RunView } from '../contracts/github/github.ts';
import type { Forge } from '../integrations/forges/forge.ts';
import { ForgeError } from '../integrations/forges/forge-error.ts';
import { type Forges, NoCredential } from '../integrations/forges/forges.ts';
import { findBuild } from '../store/builds/build-find.ts';
import { findDispatchAnswer } from '../store/builds/dispatch-answer-find.ts';
import type { Db } from '../store/database.ts';
import { claimRequest } from '../store/github/sent-request-claim.ts';
import type { GitHubPort, WritePort } from '../workflows/ports/github.ts';
import { NotYet } from './failures.ts';
import type { ActivityMeter } from './meter.ts';

/** A run that answers 404 for this many looks in a row is gone: deleted, or no longer ours to see. */
const LOOKS_UNTIL_GONE = 20;

export function githubActivities(db: Db, forges: Pick<Forges, 'of'>, meter?: ActivityMeter): GitHubPort & WritePort {
  return {
    async reserveWrite({ forge } = {}) {
      // Without its credential the write itself says what to set.
      return {
        wait_ms: await unlessMissing(
          forges,
          forge,
          (found) => found.reserveWrite(),
          () => 0,
        ),
      };
    },

    async dispatchRun({ build_id, request, correlation, intended_by, claim }) {
      if (!(await maySend(db, intended_by, claim))) return sentBefore(db, build_id, correlation !== null, claim);
      const outcome = await unlessMissing<DispatchOutcome>(
        forges,
        request.forge,
        (forge) => forge.dispatch(request, correlation),
        notSent,
      );
      meter?.dispatched(outcome.kind);
      return outcome;
    },

    async withdrawDispatch({ build_id, correlated, intended_by, claim }) {
      return (await maySend(db, intended_by, claim)) ? null : sentBefore(db, build_id, correlated, claim);
    },

    async rerunRun({ forge, repository, run_id, failed_jobs_only, intended_by, claim }) {
      if (!(await maySend(db, intended_by, claim))) {
        return { kind: 'ambiguous', reason: SENT_BEFORE, request_id: null };
      }
      return unlessMissing<RerunOutcome>(
        forges,
        forge,
        (found) => found.rerun(repository, run_id, failed_jobs_only),
        notSent,
      );
    },

    readRun: async ({ forge, repository, run_id, run_attempt }) => {
      const github = forges.of(forge);
      return unlessGone(github, { repository, run_id, run_attempt }, () => github.read(repository, run_id));
    },

    async findRun({ forge, repository, run_id }) {
      try {
        return await forges.of(forge).read(repository, run_id);
      } catch (error) {
        if (error instanceof ForgeError && error.status === 404) return null;
        throw error;
      }
    },

    readFailedJobs: async ({ forge, repository, run_id, run_attempt }) =>
      forges.of(forge).failedJobs(repository, run_id, run_attempt),

    async findRuns({ forge, repository, ...sought }) {
      // By the clock of Temporal, as `since` is.
      const ageMs = activityInfo().currentAttemptScheduledTimestampMs - Date.parse(sought.since);
      return forges.of(forge).find(repository, sought, Math.max(0, ageMs));
    },

    cancelRun: async ({ forge, repository, run_id }) => forges.of(forge).cancel(repository, run_id),

    async awaitRunChange({ forge, repository, run_id, seen, interval_ms }) {
      const github = forges.of(forge);
      let looked: RunView | Awaited<ReturnType<Forge['changed']>>;
      try {
        looked = await unlessGone(github, { repository, run_id, run_attempt: seen.run_attempt }, () =>
          github.changed(repository, run_id, seen, interval_ms),
        );
      } catch (error) {
        if (!(error instanceof ForgeError)) throw error;
        throw new NotYet(error.message, Math.max(interval_ms, error.retryAfterMs ?? 0));
      }
      if ('lookAgainMs' in looked) throw new NotYet(`run ${run_id} is still ${seen.status}`, looked.lookAgainMs);
      return 'view' in looked ? looked.view : looked;
    },
  };
}

/** What a request comes to for which the settings have no credential: somebody has to set it, and until then it waits. */
function notSent(error: NoCredential) {
  return { kind: 'not_sent', reason: error.message, wait_ms: null } as const;
}

async function unlessMissing<T>(
  forges: Pick<Forges, 'of'>,
  place: ForgePlace | undefined,
  ask: (forge: Forge) => Promise<T>,
  otherwise: (error: NoCredential) => T,
): Promise<T> {
  let forge: Forge;
  try {
    forge = forges.of(place);
  } catch (error) {
    if (error instanceof NoCredential) return otherwise(error);
    throw error;
  }
  return ask(forge);
}

const SENT_BEFORE = 'an earlier run of this workflow may have sent it';

/**
 * Whether a request may be sent now: by the workflow run that intended it, and once, also where Temporal forgot that it was
 * sent. Asked here and not in the workflow: there the answer would change with a reset, and its replay with it.
 */
async function maySend(db: Db, intendedBy: string, claim: string | undefined): Promise<boolean> {
  if (activityInfo().workflowExecution?.runId !== intendedBy) return false;
  return claim === undefined || (await claimRequest(db, claim));
}

/**
 * What became of a POST that may have been sent before. The record says where it had been answered; while that is away
 * nobody knows.
 */
async function sentBefore(
  db: Db,
  buildId: number,
  correlated: boolean,
  claim: string | undefined,
): Promise<DispatchOutcome> {
  const { workflow_run_id = null, run_url = null } = (await findBuild(db, buildId)) ?? {};
  if (workflow_run_id !== null) {
    return { kind: 'accepted', run_id: workflow_run_id, run_url: run_url ?? '', correlated, request_id: null };
  }
  const answer = await findDispatchAnswer(db, buildId, claim?.replace(/^dispatch:/, '') ?? '');
  if (answer?.type === 'dispatch_rejected') return { kind: 'rejected', ...answer.data };
  if (answer) {
    const { reason, retry_at } = answer.data;
    return { kind: 'not_sent', reason, wait_ms: Math.max(0, Date.parse(retry_at) - Date.now()) };
  }
  return { kind: 'ambiguous', reason: SENT_BEFORE, accepted: false, correlated, request_id: null };
}

/**
 * What a look at a run shows: that it was deleted, after many looks in a row that were answered with 404. GitHub says 404 as
 * well to a credential that lost its access to the repository, so the repository has to be there.
 */
async function unlessGone<View extends object>(
  github: Forge,
  { repository, run_id, run_attempt }: Pick<RunView, 'run_id' | 'run_attempt'> & { repository: string },
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
    if (!(error instanceof ForgeError) || error.status !== 404) throw error;
    if (missed + 1 < LOOKS_UNTIL_GONE) {
      heartbeat(missed + 1);
      throw error;
    }
    if (!(await isGone(github, repository, run_id))) {
      heartbeat(0);
      throw error;
    }
    return { run_id, run_url: '', status: 'completed', conclusion: 'run_deleted', run_attempt, request_id: null };
  }
}

/** Whether GitHub shows the repository and, after that, has no such run in it. */
async function isGone(github: Forge, repository: string, runId: number): Promise<boolean> {
  if (!(await github.sees(repository))) return false;
  return github.read(repository, runId).then(
    () => false,
    (error: unknown) => {
      if (error instanceof ForgeError && error.status === 404) return true;
      throw error;
    },
  );
}
