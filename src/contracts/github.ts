/** Which run. */
export interface Run {
  run_id: number;
  run_url: string;
}

/** A POST that certainly changed nothing. */
export type NotDone =
  /** GitHub refused, and would again. */
  | { kind: 'rejected'; status: number; message: string; request_id: string | null }
  /** It was not carried out; another try is due after the pause, or when it seems right. */
  | { kind: 'not_sent'; reason: string; wait_ms: number | null };

/** What became of one POST to GitHub's dispatch endpoint. */
export type DispatchOutcome =
  /** A run exists and we know it. */
  | { kind: 'accepted'; run_id: number; run_url: string; correlated: boolean; request_id: string | null }
  | NotDone
  /** Which run was made is not known; with `accepted` one was, otherwise not even that. */
  | { kind: 'ambiguous'; reason: string; accepted: boolean; correlated: boolean; request_id: string | null };

/** What became of one POST for another attempt of a run. */
export type RerunOutcome =
  | { kind: 'done'; request_id: string | null }
  | NotDone
  /** Whether there will be another attempt is not known. */
  | { kind: 'ambiguous'; reason: string; request_id: string | null };

/** A run as GitHub describes it; `status` and `conclusion` are GitHub's words, also words we do not know. */
export interface RunView {
  run_id: number;
  run_url: string;
  status: string;
  conclusion: string | null;
  run_attempt: number;
  request_id: string | null;
}

/** What one reading of a repository's recent runs says about a doubtful dispatch. */
export type Finding =
  /** Runs that carry the token, oldest first. */
  | { kind: 'found'; runs: Array<{ run_id: number; run_url: string }> }
  /** None does, and a run of ours would. */
  | { kind: 'absent' }
  /** None does, but there are runs that could be ours and cannot be told apart; or, without any, too many to read all. */
  | { kind: 'doubtful'; candidates: Array<{ run_id: number; run_url: string }> };

/** A run in a listing, as far as telling runs apart needs it. */
export interface ListedRun extends RunView {
  /** The `run-name`, where the token stands. */
  title: string;
  event: string;
  head_branch: string | null;
  /** Path of the workflow file in the repository. */
  path: string;
  created_at: string;
}
