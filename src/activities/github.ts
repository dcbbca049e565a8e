import { activityInfo, heartbeat } from '@temporalio/activity';
import type { DispatchOutcome, RerunOutcome, RunView } from '../contracts/github/github.ts';
import type { Forge } from '../integrations/forges/forge.ts';
import { ForgeError } from '../integrations/forges/forge-error.ts';
import { type Forges, notSent, sendDispatch, unlessMissing } from '../integrations/forges/forges.ts';
import { findBuild } from '../store/builds/build-find.ts';
import { BUILDS } from '../store/builds/build-stream.ts';
import { findDispatchAnswer } from '../store/builds/dispatch-answer-find.ts';
import type { Db } from '../store/database.ts';
import { claimRequest } from '../store/github/sent-request-claim.ts';
import { findStream } from '../store/record/stream-find.ts';
import type { GitHubPort, WritePort } from '../workflows/ports/github.ts';
import { ageMs } from './age.ts';
import { NotYet } from './failures.ts';
import type { ActivityMeter } from './meter.ts';

/** A run is gone if this many polls in a row return 404: it was deleted, or we may no longer see it. */
const LOOKS_UNTIL_GONE = 20;

export function githubActivities(db: Db, forges: Pick<Forges, 'of'>, meter?: ActivityMeter): GitHubPort & WritePort {
  /**
   * Whether a poll runs within a workflow task. Such polls take no activity slot, which would limit concurrent calls. So
   * only one runs at a time.
   */
  let isLooking = false;

  const readRun: GitHubPort['readRun'] = async ({ forge, repository, run_id, run_attempt }) => {
    const github = forges.of(forge);
    const read = () => readSince(github, { repository, run_id, run_attempt });
    return unlessGone(github, { repository, run_id, run_attempt }, read);
  };

  /** Does not count the polls in a row that find nothing: a local activity has no heartbeat to keep the count in. */
  async function readWithinTask({ forge, ...known }: Parameters<GitHubPort['readRun']>[0]): Promise<RunView> {
    if (isLooking) throw new NotYet('this worker looks at another run', 0);
    isLooking = true;
    try {
      return await readSince(forges.of(forge), known);
    } finally {
      isLooking = false;
    }
  }

  return {
    async reserveWrite({ forge } = {}) {
      // If the credential is missing, the write itself says what to set.
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
      return sendDispatch(forges, request, correlation, meter);
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
        (found) => found.writes.rerun(repository, run_id, failed_jobs_only),
        notSent,
      );
    },

    readRun,

    async lookAtRun({ build_id, end_key, ...request }) {
      const view = await (activityInfo().isLocal ? readWithinTask : readRun)(request);
      if (view.status === 'completed') return view;
      const found = await findStream(db, BUILDS, build_id);
      const end = found?.events.find(({ dedupe_key }) => dedupe_key === end_key);
      return end ? { ...view, status: 'completed', conclusion: end.data.conclusion as string } : view;
    },

    async findRun({ forge, repository, run_id }) {
      try {
        return await forges.of(forge).runs.read(repository, run_id);
      } catch (error) {
        if (error instanceof ForgeError && error.status === 404) return null;
        throw error;
      }
    },

    readFailedJobs: async ({ forge, repository, run_id, run_attempt }) =>
      forges.of(forge).runs.failedJobs(repository, run_id, run_attempt),

    async findRuns({ forge, repository, ...sought }) {
      return forges.of(forge).runs.find(repository, sought, ageMs(Date.parse(sought.since)));
    },

    cancelRun: async ({ forge, repository, run_id }) => forges.of(forge).writes.cancel(repository, run_id),

    async awaitRunChange({ forge, repository, run_id, seen, interval_ms }) {
      const github = forges.of(forge);
      let looked: RunView | Awaited<ReturnType<Forge['runs']['changed']>>;
      try {
        looked = await unlessGone(github, { repository, run_id, run_attempt: seen.run_attempt }, () =>
          github.runs.changed(repository, run_id, seen, interval_ms),
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

const SENT_BEFORE = 'an earlier run of this workflow may have sent it';

/**
 * Says whether a request may be sent now: by the workflow run that intended it, and once, even if Temporal forgot that it
 * was sent. This is checked here and not in the workflow: there a reset would change the answer, and its replay with it.
 */
async function maySend(db: Db, intendedBy: string, claim: string | undefined): Promise<boolean> {
  if (activityInfo().workflowExecution?.runId !== intendedBy) return false;
  return claim === undefined || (await claimRequest(db, claim));
}

/**
 * Returns the outcome of a POST that may have been sent before. If the forge had responded, the record says so. While the
 * record is away, nobody knows.
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
  switch (answer?.type) {
    case 'dispatch_rejected':
      return { kind: 'rejected', ...answer.data };
    case 'dispatch_delayed': {
      const { reason, retry_at } = answer.data;
      return { kind: 'not_sent', reason, wait_ms: Math.max(0, Date.parse(retry_at) - Date.now()) };
    }
    case 'dispatch_ambiguous': {
      const { reason, request_id, accepted = false } = answer.data;
      return { kind: 'ambiguous', reason, accepted, correlated: answer.data.correlated ?? correlated, request_id };
    }
    case undefined:
      return { kind: 'ambiguous', reason: SENT_BEFORE, accepted: false, correlated, request_id: null };
  }
}

/** What is known of a run. */
type KnownAttempt = Pick<RunView, 'run_id' | 'run_attempt'> & { repository: string };

/**
 * Reads a run, at its known attempt or a later one. GitHub may be behind and still show the attempt before; what it says after many
 * reads counts.
 */
async function readSince(github: Forge, { repository, run_id, run_attempt }: KnownAttempt): Promise<RunView> {
  const view = await github.runs.read(repository, run_id);
  const isEarlier = view.run_attempt < run_attempt && github.capabilities.attempts;
  if (isEarlier && activityInfo().attempt < LOOKS_UNTIL_GONE) {
    throw new NotYet(`run ${run_id} is still shown as of attempt ${view.run_attempt}`, 1_000);
  }
  return view;
}

/**
 * Returns what a poll of a run shows. After many polls in a row with 404, this is that the run was deleted. GitHub also
 * returns 404 to a credential that lost its access to the repository, so the repository must still be visible.
 */
async function unlessGone<View extends object>(
  github: Forge,
  { repository, run_id, run_attempt }: KnownAttempt,
  look: () => Promise<View>,
): Promise<View | RunView> {
  // Heartbeat details outlive the attempt, so they count the polls that found nothing.
  const missed = (activityInfo().heartbeatDetails as number | undefined) ?? 0;
  try {
    const view = await look();
    // If the forge was not asked, the view is from an older listing and says nothing.
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

/** Says whether GitHub shows the repository and, after that, has no such run in it. */
async function isGone(github: Forge, repository: string, runId: number): Promise<boolean> {
  if (!(await github.runs.sees(repository))) return false;
  return github.runs.read(repository, runId).then(
    () => false,
    (error: unknown) => {
      if (error instanceof ForgeError && error.status === 404) return true;
      throw error;
    },
  );
}
