import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { ForgePlace } from '../../contracts/forges/forge.ts';
import type { DispatchOutcome, Finding, RerunOutcome, RunView } from '../../contracts/github/github.ts';

/** The forge that is called; if left out, GitHub by the settings. */
interface OfForge {
  forge?: ForgePlace | undefined;
}

/** Activities that workflows call before they write to a forge. */
export interface WritePort {
  /** Takes the next slot for a write. Over all workers, slots of one credential are at least GITHUB_WRITE_INTERVAL apart. */
  reserveWrite(request?: OfForge): Promise<{ wait_ms: number }>;
}

/** Activities that call a forge. */
export interface GitHubPort {
  /**
   * Sends one POST, if the calling workflow run is the one that intended it. An intent from before a reset may have been sent
   * already: the activity then returns what the record knows of its run. It does the same if the claim was taken before, which
   * happens if Temporal was set back to before the POST. Never retried: if it fails, nobody knows whether the POST was sent.
   */
  dispatchRun(request: {
    build_id: number;
    request: BuildRequest;
    correlation: { input: string; token: string } | null;
    intended_by: string;
    claim?: string;
  }): Promise<DispatchOutcome>;

  /** Makes sure that an intended POST is never sent, and returns null. If it may have been sent before, returns what is known of it. */
  withdrawDispatch(request: {
    build_id: number;
    correlated: boolean;
    intended_by: string;
    claim: string;
  }): Promise<DispatchOutcome | null>;

  /** Reads every recent run of the repository and looks for the tokens of one build. */
  findRuns(
    request: OfForge & {
      repository: string;
      workflow: string;
      ref: string;
      tokens: string[];
      since: string;
      after_run?: number;
    },
  ): Promise<Finding>;

  /** Returns when GitHub confirms that the run differs from what was seen; until then it fails and is retried. */
  awaitRunChange(
    request: OfForge & {
      repository: string;
      run_id: number;
      seen: { status: string; run_attempt: number };
      interval_ms: number;
    },
  ): Promise<RunView>;

  /** Requests another attempt of an ended run once, if the calling workflow run is the one that intended it. */
  rerunRun(
    request: OfForge & {
      repository: string;
      run_id: number;
      failed_jobs_only: boolean;
      intended_by: string;
      claim?: string;
    },
  ): Promise<RerunOutcome>;

  /** Returns the run with this id; null if the repository has none. */
  findRun(request: OfForge & { repository: string; run_id: number }): Promise<RunView | null>;

  /** Returns the run as it is now. `run_attempt` is the last known one, which a deleted run keeps. */
  readRun(request: OfForge & { repository: string; run_id: number; run_attempt: number }): Promise<RunView>;

  /**
   * Does the same within a workflow task, whose results are lost if its worker is lost. An earlier try of the task may have recorded
   * the end of the run before somebody ran it again. Then the run counts as ended as the record says, with its current attempt.
   * @param request.end_key dedupe key of the event that ends the build.
   */
  lookAtRun(
    request: OfForge & { repository: string; run_id: number; run_attempt: number; build_id: number; end_key: string },
  ): Promise<RunView>;

  /** Returns why an attempt of a run ended badly; empty if GitHub lists no job that failed. */
  readFailedJobs(request: OfForge & { repository: string; run_id: number; run_attempt: number }): Promise<FailedJob[]>;

  /** Asks GitHub to cancel the run; false if it cannot be cancelled (it has ended, or not started). */
  cancelRun(request: OfForge & { repository: string; run_id: number }): Promise<boolean>;
}
