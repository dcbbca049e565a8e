import type { Run } from '../../contracts/github/github.ts';
import type { Build } from './build.ts';

/**
 * Names runs by their URLs in the question to the operator. A Forgejo URL holds the run's number in its repository and not its id.
 * Adopting needs the id, so it is appended.
 */
export function candidatesInWords(runs: readonly Run[]): string {
  return runs
    .map(({ run_id, run_url }) => (run_url.endsWith(`/${run_id}`) ? run_url : `${run_url}#id=${run_id}`))
    .join(' ');
}

/** Returns the runs named in the question of a build that needs attention. Each may be its run. */
export function candidatesOf({ needs_attention, reason }: Pick<Build, 'needs_attention' | 'reason'>): Run[] {
  return needs_attention ? candidateRuns(reason) : [];
}

/** Returns the runs that {@link candidatesInWords} named in a text, each once and in order. */
export function candidateRuns(reason: string | null): Run[] {
  const named = (reason ?? '').matchAll(/(https?:\/\/[^\s;#]+\/actions\/runs\/(\d{1,15}))(?:#id=(\d{1,15}))?/g);
  const runs = new Map(
    [...named].map(([, run_url = '', number, id]) => [run_url, { run_id: Number(id ?? number), run_url }]),
  );
  return [...runs.values()];
}
