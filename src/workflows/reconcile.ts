import { sleep } from '@temporalio/workflow';
import type { BuildInput } from '../contracts/build-workflow.ts';
import type { Run } from './dispatch.ts';
import { githubActivities } from './activities.ts';
import type { Tell } from './teller.ts';

/** What reading says about a doubtful dispatch. */
export type Verdict = { kind: 'found'; run: Run } | { kind: 'absent'; reads: number } | { kind: 'doubtful'; reason: string };

/** Fewest complete readings without a match before an absence is believed: listings lag and lie (max-sixty/tend#348). */
const FEWEST_READS = 3;

/**
 * Looks for the runs of a build's dispatches by reading only, over the whole reconcile window unless one is found. Of
 * several the oldest is the build's; the others are cancelled and recorded.
 */
export async function reconcile(input: BuildInput, tell: Tell, tokens: string[], correlated: boolean): Promise<Verdict> {
  const { policy, request } = input;
  const github = githubActivities(policy.request_timeout_ms);
  const windowEnds = Date.now() + policy.reconcile_window_ms;
  for (let reads = 1; ; reads++) {
    const startedAt = Date.now();
    const finding = await github.findRuns({
      repository: request.repository,
      workflow: request.workflow,
      tokens,
      since: input.created_at,
    });
    if (finding.kind === 'found') {
      const [run, ...duplicates] = finding.runs as [Run, ...Run[]];
      for (const duplicate of duplicates) {
        await github.cancelRun({ repository: request.repository, run_id: duplicate.run_id });
        await tell('duplicate_run_cancelled', `duplicate:${duplicate.run_id}`, {
          workflow_run_id: duplicate.run_id,
          run_url: duplicate.run_url,
        });
      }
      return { kind: 'found', run };
    }
    // A reading counts towards the end of the window only if it began after it.
    const complete = startedAt >= windowEnds && reads >= FEWEST_READS;
    if (complete || !correlated) {
      if (correlated && finding.kind === 'absent') return { kind: 'absent', reads };
      const candidates = finding.kind === 'doubtful' ? finding.candidates.map((run) => run.run_url).join(' ') : '';
      return {
        kind: 'doubtful',
        reason: `cannot tell by a token whether a run was made${candidates && `; it could be ${candidates}`}; adopt its run or retry`,
      };
    }
    await sleep(Math.max(Math.min(policy.reconcile_window_ms / FEWEST_READS, windowEnds - Date.now()), 100));
  }
}
