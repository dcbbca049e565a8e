/** A run of a workflow on a forge. */
export interface Run {
  run_id: number;
  run_url: string;
}

/** A run and the latest attempt that Hapax knows of. */
export interface KnownRun extends Run {
  run_attempt: number;
}

/** The outcome of a POST that certainly changed nothing. */
export type NotDone =
  /** GitHub refused it, and would refuse it again. */
  | { kind: 'rejected'; status: number; message: string; request_id: string | null }
  /** It was not carried out. Another attempt is due after the pause, or if there is none, when the caller decides. */
  | { kind: 'not_sent'; reason: string; wait_ms: number | null; refusal?: GitHubRefusal };

/** A refusal that may pass, because a person can change its cause at GitHub. */
export interface GitHubRefusal {
  status: number;
  message: string;
  request_id: string | null;
  /** After this many milliseconds of such refusals and nothing else, it counts as rejected. */
  patience_ms: number;
}

/** The outcome of one POST to GitHub's dispatch endpoint. */
export type DispatchOutcome =
  /** There is a run, and Hapax knows it. */
  | ({ kind: 'accepted'; correlated: boolean; request_id: string | null } & Run)
  | NotDone
  /** Hapax does not know which run was made. With `accepted`, one was made; otherwise not even that is known. */
  | { kind: 'ambiguous'; reason: string; accepted: boolean; correlated: boolean; request_id: string | null };

/** The outcome of one POST that requests another attempt of a run. */
export type RerunOutcome =
  | { kind: 'done'; request_id: string | null }
  | NotDone
  /** It is not known whether there will be another attempt. */
  | { kind: 'ambiguous'; reason: string; request_id: string | null };

/** A run as GitHub describes it. `status` and `conclusion` are GitHub's words, and may be ones that Hapax does not know. */
export interface RunView extends KnownRun {
  status: string;
  conclusion: string | null;
  request_id: string | null;
  /** The commit that it works on; left out if the forge does not say. */
  commit?: string;
}

/** The result of one read of a repository's recent runs, for an ambiguous dispatch. */
export type Finding =
  /** Runs that carry the token, oldest first. */
  | { kind: 'found'; runs: Run[] }
  /** No run carries the token, and a run of this dispatch would. */
  | { kind: 'absent' }
  /**
   * No run carries the token, but the dispatch could have made one of these candidates. With no candidates: there were too many runs to
   * read.
   */
  | { kind: 'doubtful'; candidates: Run[] };

/** A run in a listing, with the fields that tell runs apart. */
export interface ListedRun extends RunView {
  /** Contains the token: the `run-name`, or on Forgejo the inputs. */
  title: string;
  event: string;
  head_branch: string | null;
  /** Path of the workflow file in the repository. */
  path: string;
  /** Number of the workflow; undefined if GitHub does not say. */
  workflow_id: number | undefined;
  /** On Gitea, the latest time at which it can have been created. */
  created_at: string;
}

/** A run as a webhook reports it. Hapax reads it from the forge before it believes any of this. */
export interface AnnouncedRun {
  run_id: number;
  /** Left out if the forge does not say; it may be a new attempt. */
  run_attempt?: number;
  /** Contains the token. */
  title: string;
  /** Credential of the forge that sent it; left out: GitHub, with the credential of the settings. */
  credential?: string;
}
