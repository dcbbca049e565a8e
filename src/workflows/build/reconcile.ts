import { patched, sleep } from '@temporalio/workflow';
import type { DispatchOutcome, Finding, Run } from '../../contracts/github/github.ts';
import { candidatesInWords } from '../../domain/builds/candidate-runs.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { githubActivities } from '../activities.ts';
import { readUntil } from './in-time.ts';
import type { OpenBuild } from './open-build.ts';
import { CANCELS_OTHERS_AGAIN, stopOtherRun } from './other-run.ts';

type Doubt = Extract<DispatchOutcome, { kind: 'ambiguous' }>;

/** The verdict of reading on a doubtful dispatch. */
export type Verdict =
  | { kind: 'found'; run: Run }
  | { kind: 'absent'; reads: number }
  | { kind: 'doubtful'; reason: string };

/** How many complete reads without a match it takes, at least, to believe an absence: listings lag and lie (max-sixty/tend#348). */
export const FEWEST_READS = 3;

const WHAT_TO_DO = 'adopt its run, or retry if there is none';

/**
 * Looks for the runs of a build's dispatches by reading only, over the whole reconcile window unless it finds one. If there are
 * several, the oldest is the build's; it cancels and records the others. Gives up if the forge does
 * not list its runs until the deadline, or for a while after an operator cancels the build.
 * @param sent the tokens, the time (ISO 8601) before which none of them was sent, and the run of the build before its retry.
 */
export async function reconcile(
  build: OpenBuild,
  sent: { tokens: string[]; since: string; after_run?: number },
  doubt: Doubt,
): Promise<Verdict> {
  const { policy, request } = build.input;
  const { forge } = request;
  const called = capabilitiesOf(forge).name;
  const github = githubActivities(policy.request_timeout_ms);
  const windowEnds = Date.now() + policy.reconcile_window_ms;
  const deadlineAt = windowEnds + policy.deadline_ms;
  for (let reads = 1; ; reads++) {
    const startedAt = Date.now();
    const finding = await read();
    if (!finding) {
      const why = `${doubt.reason}; its runs could not be read`;
      return {
        kind: 'doubtful',
        reason: `Hapax could not find out whether ${called} made a run (${why}); ${WHAT_TO_DO}`,
      };
    }
    if (finding.kind === 'found') {
      const [run, ...duplicates] = finding.runs as [Run, ...Run[]];
      for (const duplicate of duplicates) {
        const isStopped = await stopOtherRun(build, duplicate, 'duplicate');
        if (isStopped === undefined || (!isStopped && patched(CANCELS_OTHERS_AGAIN))) continue;
        await build.recordEvent('duplicate_run_cancelled', `duplicate:${duplicate.run_id}`, {
          workflow_run_id: duplicate.run_id,
          run_url: duplicate.run_url,
        });
      }
      return { kind: 'found', run };
    }
    // Only a read that started after the end of the window can be the last one.
    const complete = startedAt >= windowEnds && reads >= FEWEST_READS;
    if (complete || !doubt.correlated) {
      if (doubt.correlated && !doubt.accepted && finding.kind === 'absent') return { kind: 'absent', reads };
      return { kind: 'doubtful', reason: whyDoubtful(called, doubt, finding) };
    }
    await sleep(Math.max(Math.min(policy.reconcile_window_ms / FEWEST_READS, windowEnds - Date.now()), 100));
  }

  /** Reads once; undefined if the forge does not list its runs in time. */
  async function read(): Promise<Finding | undefined> {
    const { repository, workflow, ref } = request;
    const ask = () => github.findRuns({ forge, repository, workflow, ref, ...sent });
    return patched('reconciles-until-the-deadline') ? readUntil(build, deadlineAt, ask) : ask();
  }
}

function whyDoubtful(forge: string, doubt: Doubt, finding: Exclude<Finding, { kind: 'found' }>): string {
  const what = doubt.accepted
    ? `${forge} accepted the dispatch, but its run was not found`
    : `Hapax could not find out whether ${forge} made a run`;
  return `${what} (${doubt.reason})${whichOf(finding)}; ${WHAT_TO_DO}`;
}

function whichOf(finding: Exclude<Finding, { kind: 'found' }>): string {
  if (finding.kind === 'absent') return '';
  if (finding.candidates.length === 0) return '; there are more runs since then than Hapax reads';
  return `; it could be ${candidatesInWords(finding.candidates)}`;
}
