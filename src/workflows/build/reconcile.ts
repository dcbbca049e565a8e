import { sleep } from '@temporalio/workflow';
import type { DispatchOutcome, Finding, Run } from '../../contracts/github/github.ts';
import { candidatesInWords } from '../../domain/builds/candidate-runs.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { githubActivities } from '../activities.ts';
import { leaveRunning } from './leave-running.ts';
import type { OpenBuild } from './open-build.ts';

type Doubt = Extract<DispatchOutcome, { kind: 'ambiguous' }>;

/** What reading says about a doubtful dispatch. */
export type Verdict =
  | { kind: 'found'; run: Run }
  | { kind: 'absent'; reads: number }
  | { kind: 'doubtful'; reason: string };

/** Fewest complete readings without a match before an absence is believed: listings lag and lie (max-sixty/tend#348). */
const FEWEST_READS = 3;

/**
 * Looks for the runs of a build's dispatches by reading only, over the whole reconcile window unless one is found. Of
 * several the oldest is the build's; the others are cancelled and recorded.
 * @param sent the tokens, and the time (ISO 8601) before which none of them went out.
 */
export async function reconcile(
  { input, recordEvent }: OpenBuild,
  sent: { tokens: string[]; since: string },
  doubt: Doubt,
): Promise<Verdict> {
  const { policy, request } = input;
  const { forge } = request;
  const github = githubActivities(policy.request_timeout_ms);
  const windowEnds = Date.now() + policy.reconcile_window_ms;
  for (let reads = 1; ; reads++) {
    const startedAt = Date.now();
    const finding = await github.findRuns({
      forge,
      repository: request.repository,
      workflow: request.workflow,
      ref: request.ref,
      ...sent,
    });
    if (finding.kind === 'found') {
      const [run, ...duplicates] = finding.runs as [Run, ...Run[]];
      for (const duplicate of duplicates) {
        if (!capabilitiesOf(forge).cancels) {
          await leaveRunning({ input, recordEvent }, duplicate, 'duplicate');
          continue;
        }
        await github.cancelRun({ forge, repository: request.repository, run_id: duplicate.run_id });
        await recordEvent('duplicate_run_cancelled', `duplicate:${duplicate.run_id}`, {
          workflow_run_id: duplicate.run_id,
          run_url: duplicate.run_url,
        });
      }
      return { kind: 'found', run };
    }
    // A reading counts towards the end of the window only if it began after it.
    const complete = startedAt >= windowEnds && reads >= FEWEST_READS;
    if (complete || !doubt.correlated) {
      if (doubt.correlated && !doubt.accepted && finding.kind === 'absent') return { kind: 'absent', reads };
      return { kind: 'doubtful', reason: whyDoubtful(capabilitiesOf(forge).name, doubt, finding) };
    }
    await sleep(Math.max(Math.min(policy.reconcile_window_ms / FEWEST_READS, windowEnds - Date.now()), 100));
  }
}

function whyDoubtful(forge: string, doubt: Doubt, finding: Exclude<Finding, { kind: 'found' }>): string {
  const what = doubt.accepted
    ? `${forge} accepted the dispatch, but its run was not found`
    : `Hapax could not find out whether ${forge} made a run`;
  return `${what} (${doubt.reason})${whichOf(finding)}; adopt its run, or retry if there is none`;
}

function whichOf(finding: Exclude<Finding, { kind: 'found' }>): string {
  if (finding.kind === 'absent') return '';
  if (finding.candidates.length === 0) return '; there are more runs since then than Hapax reads';
  return `; it could be ${candidatesInWords(finding.candidates)}`;
}
