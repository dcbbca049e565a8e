/** A run of a workflow on a forge. */
export interface Run {
  run_id: number;
  run_url: string;
}

/** A run and its last attempt that we know of. */
export interface KnownRun extends Run {
  run_attempt: number;
}

/** A POST that certainly changed nothing. */
export type NotDone =
  /** GitHub refused, and would again. */
  | { kind: 'rejected'; status: number; message: string; request_id: string | null }
  /** It was not carried out; another try is due after the pause, or when it seems right. */
  | { kind: 'not_sent'; reason: string; wait_ms: number | null; refusal?: GitHubRefusal };

/** A refusal that may pass, because of something a person can change at GitHub. */
export interface GitHubRefusal {
  status: number;
  message: string;
  request_id: string | null;
  /** After so many milliseconds of nothing but such refusals it counts as rejected. */
  patience_ms: number;
}

/** What became of one POST to GitHub's dispatch endpoint. */
export type DispatchOutcome =
  /** A run exists and we know it. */
  | ({ kind: 'accepted'; correlated: boolean; request_id: string | null } & Run)
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
export interface RunView extends KnownRun {
  status: string;
  conclusion: string | null;
  request_id: string | null;
}

/** What one reading of a repository's recent runs says about a doubtful dispatch. */
export type Finding =
  /** Runs that carry the token, oldest first. */
  | { kind: 'found'; runs: Run[] }
  /** None does, and a run of ours would. */
  | { kind: 'absent' }
  /** None does, but there are runs that could be ours and cannot be told apart; or, without any, too many to read all. */
  | { kind: 'doubtful'; candidates: Run[] };

/** A run in a listing, as far as telling runs apart needs it. */
export interface ListedRun extends RunView {
  /** Where the token stands: the `run-name`, or on Forgejo the inputs. */
  title: string;
  event: string;
  head_branch: string | null;
  /** Path of the workflow file in the repository. */
  path: string;
  /** Number of the workflow; undefined where GitHub does not say. */
  workflow_id: number | undefined;
  /** On Gitea the latest time that it may have been. */
  created_at: string;
}

/** What a webhook says of a run. The forge is read before any of it is believed. */
export interface AnnouncedRun {
  run_id: number;
  /** Left out: the forge does not say, and it may be a new one. */
  run_attempt?: number;
  /** Where the token stands. */
  title: string;
  /** Of the forge that tells; left out: GitHub's of the settings. */
  credential?: string;
}
