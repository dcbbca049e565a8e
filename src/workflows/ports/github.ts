import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { ForgePlace } from '../../contracts/forges/forge.ts';
import type { DispatchOutcome, Finding, RerunOutcome, RunView } from '../../contracts/github/github.ts';

/** Which forge is asked; left out: GitHub by the settings. */
interface OfForge {
  forge?: ForgePlace | undefined;
}

/** What workflows ask before they have something written to a forge. */
export interface WritePort {
  /** Takes the next slot for a write; over all workers, slots of one credential are GITHUB_WRITE_INTERVAL apart or more. */
  reserveWrite(request?: OfForge): Promise<{ wait_ms: number }>;
}

/** What workflows ask of a forge. */
export interface GitHubPort {
  /**
   * Sends one POST, if the workflow run that intended it is the one that asks: an intent from before a reset may have been
   * sent already, and is answered with the run that the record knows. So is one whose claim was taken before, which happens
   * where Temporal was set back to before it was sent. Never retried: its failure means that nobody knows.
   */
  dispatchRun(request: {
    build_id: number;
    request: BuildRequest;
    correlation: { input: string; token: string } | null;
    intended_by: string;
    claim?: string;
  }): Promise<DispatchOutcome>;

  /**
   * Sees to it that an intended POST is never sent, which answers null; or answers with what is known of it where it may have
   * been sent before.
   */
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

  /** Asks once for another attempt of a run that ended, if the workflow run that intended it is the one that asks. */
  rerunRun(
    request: OfForge & {
      repository: string;
      run_id: number;
      failed_jobs_only: boolean;
      intended_by: string;
      claim?: string;
    },
  ): Promise<RerunOutcome>;

  /** The run of this number; null where the repository has none. */
  findRun(request: OfForge & { repository: string; run_id: number }): Promise<RunView | null>;

  /** The run as it is now; `run_attempt` is the last that is known, which one that was deleted keeps. */
  readRun(request: OfForge & { repository: string; run_id: number; run_attempt: number }): Promise<RunView>;

  /** Why an attempt of a run ended badly; empty where GitHub lists no job that failed. */
  readFailedJobs(request: OfForge & { repository: string; run_id: number; run_attempt: number }): Promise<FailedJob[]>;

  /** Asks GitHub to cancel the run; false when it cannot be cancelled (it has ended). */
  cancelRun(request: OfForge & { repository: string; run_id: number }): Promise<boolean>;
}
