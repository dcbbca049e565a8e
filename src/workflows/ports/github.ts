import type { BuildRequest } from '../../contracts/event.ts';

/** What became of one POST to GitHub's dispatch endpoint. */
export type DispatchOutcome =
  /** A run exists and we know it. */
  | { kind: 'accepted'; run_id: number; run_url: string; correlated: boolean; request_id: string | null }
  /** GitHub refused, and would again. */
  | { kind: 'rejected'; status: number; message: string; request_id: string | null }
  /** Certainly no run was made; another try is due after the pause. */
  | { kind: 'not_sent'; reason: string; wait_ms: number }
  /** Nobody knows whether a run was made. */
  | { kind: 'ambiguous'; reason: string; correlated: boolean; request_id: string | null };

/** A run as GitHub describes it; `status` and `conclusion` are GitHub's words, also words we do not know. */
export interface RunView {
  run_id: number;
  run_url: string;
  status: string;
  conclusion: string | null;
  run_attempt: number;
  request_id: string | null;
}

/** What one complete reading of a repository's recent runs says about a doubtful dispatch. */
export type Finding =
  /** Runs that carry the token, oldest first. */
  | { kind: 'found'; runs: Array<{ run_id: number; run_url: string }> }
  /** None does, and a run of ours would. */
  | { kind: 'absent' }
  /** None does, but there is a run that could be ours and cannot be told apart. */
  | { kind: 'doubtful'; candidates: Array<{ run_id: number; run_url: string }> };

/** What workflows ask of GitHub. */
export interface GitHubPort {
  /** Sends one POST. Never retried: its failure means that nobody knows. */
  dispatchRun(request: { request: BuildRequest; correlation: { input: string; token: string } | null }): Promise<DispatchOutcome>;

  /** Reads every recent run of the repository and looks for the tokens of one build. */
  findRuns(request: { repository: string; workflow: string; tokens: string[]; since: string }): Promise<Finding>;

  /** Returns when GitHub confirms that the run differs from what was seen; until then it fails and is retried. */
  awaitRunChange(request: { repository: string; run_id: number; seen: { status: string; run_attempt: number }; interval_ms: number }): Promise<RunView>;

  /** Asks GitHub to cancel the run; false when it cannot be cancelled (it has ended). */
  cancelRun(request: { repository: string; run_id: number }): Promise<boolean>;
}
