import type { Finding, ListedRun, Run } from '../../contracts/github/github.ts';
import { shortRef } from '../builds/concurrency-group.ts';

/** The form of all tokens: it tells the runs of any Hapax from others. */
const TOKEN = /hapax-(\d{1,15})-\d+-[0-9a-f]{12}/;

/** The build whose token stands in the title of a run, if one does. */
export function buildIdOfToken(title: string): number | undefined {
  const id = TOKEN.exec(title)?.[1];
  return id === undefined ? undefined : Number(id);
}

/** The dispatches that are looked for. */
export interface Sought {
  workflow: string;
  ref: string;
  /** All tokens of the build; empty where its dispatches carry none. */
  tokens: readonly string[];
  /** Runs created before this time (ISO 8601, with allowance for clocks) cannot be ours. */
  since: string;
}

/** The runs of a repository, newest first. */
export interface Listing {
  runs: readonly ListedRun[];
  /** Whether all that can be ours are among them. */
  complete: boolean;
}

/**
 * What a listing says about the dispatches of one build. If the workflow does not echo tokens, any run of its workflow and
 * ref without a token could be ours; so an absence is believed only if a complete listing has no such run.
 */
export function findRuns({ runs, complete }: Listing, { workflow, ref, tokens, since }: Sought): Finding {
  // A run that a newer one pushed to the next page while they were read is listed twice.
  const each = [...new Map(runs.map((run) => [run.run_id, run])).values()];
  const dispatched = each.filter((run) => run.event === 'workflow_dispatch' && isOf(run, workflow));
  const ours = dispatched.filter((run) => tokens.some((token) => run.title.includes(token)));
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

function isOf(run: ListedRun, workflow: string): boolean {
  if (/^\d+$/.test(workflow)) return run.workflow_id === Number(workflow);
  // GitHub writes `.github/workflows/build.yml` and, for some events, appends `@<ref>`; names of files may have an @ too.
  const name = run.path.replace(/^\.github\/workflows\//, '');
  return name === workflow || name.startsWith(`${workflow}@`);
}

function named({ run_id, run_url }: ListedRun): Run {
  return { run_id, run_url };
}
