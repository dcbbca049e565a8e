import type { Finding, ListedRun, Run } from '../../contracts/github/github.ts';
import { shortRef } from '../builds/concurrency-group.ts';

/** The form of all tokens. It tells the runs of any Hapax from others. */
const TOKEN = /hapax-(\d{1,15})-\d+-[0-9a-f]{12}/;

/** Returns the id of the build whose token is in the title of a run, if there is one. */
export function buildIdOfToken(title: string): number | undefined {
  const id = TOKEN.exec(title)?.[1];
  return id === undefined ? undefined : Number(id);
}

/** Returns the whole token in the title of a run, if there is one. */
export function tokenIn(title: string): string | undefined {
  return TOKEN.exec(title)?.[0];
}

/** The dispatches to look for. */
export interface Sought {
  workflow: string;
  ref: string;
  /** All tokens of the build, or their prefix where some are forgotten; empty if its dispatches carry none. */
  tokens: readonly string[];
  /** Runs created before this time (ISO 8601, with allowance for clocks) cannot be ours, unless they carry a whole token. */
  since: string;
  /** The run of the build before its retry. Neither this run nor an older one can be of the retry. */
  after_run?: number;
}

/** The runs of a repository, newest first. */
export interface Listing {
  runs: readonly ListedRun[];
  /** Whether all runs that can be ours are among them. */
  complete: boolean;
}

/**
 * Says what a listing shows about the dispatches of one build. If the workflow does not echo tokens, any run of its workflow and ref
 * without a token could be ours. So a run counts as absent only if a complete listing has no such run.
 */
export function findRuns(
  { runs, complete }: Listing,
  { workflow, ref, tokens, since, after_run = 0 }: Sought,
): Finding {
  // A run is listed twice if a newer one pushed it to the next page while the pages were read.
  const each = [...new Map(runs.map((run) => [run.run_id, run])).values()];
  const dispatched = each.filter((run) => run.run_id > after_run && isDispatchOf(run, workflow));
  // Only a whole token is unique. An earlier installation gave out tokens with the same prefix.
  const isOurs = (run: ListedRun, token: string) =>
    run.title.includes(token) && (TOKEN.test(token) || run.created_at >= since);
  const ours = dispatched.filter((run) => tokens.some((token) => isOurs(run, token)));
  if (ours.length > 0) {
    const oldestFirst = ours.toSorted((a, b) => a.created_at.localeCompare(b.created_at) || a.run_id - b.run_id);
    return { kind: 'found', runs: oldestFirst.map(named) };
  }
  const branch = shortRef(ref);
  const candidates = dispatched.filter(
    (run) =>
      run.created_at >= since && !TOKEN.test(run.title) && (run.head_branch === null || run.head_branch === branch),
  );
  if (candidates.length === 0 && complete) return { kind: 'absent' };
  return { kind: 'doubtful', candidates: candidates.slice(0, 10).map(named) };
}

/** Says whether a dispatch made this run of a workflow. */
export function isDispatchOf(run: ListedRun, workflow: string): boolean {
  return run.event === 'workflow_dispatch' && isOf(run, workflow);
}

function isOf(run: ListedRun, workflow: string): boolean {
  if (/^\d+$/.test(workflow)) return run.workflow_id === Number(workflow);
  // GitHub writes `.github/workflows/build.yml` and, for some events, appends `@<ref>`; names of files may have an @ too.
  const name = run.path.replace(/^\.github\/workflows\//, '');
  return name === workflow || name.startsWith(`${workflow}@`);
}

function named({ run_id, run_url }: ListedRun): Run {
  return { run_id, run_url };
}
