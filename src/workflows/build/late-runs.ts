import { CancellationScope, patched, sleep } from '@temporalio/workflow';
import type { Run } from '../../contracts/github/github.ts';
import { githubActivities } from '../activities.ts';
import { within } from './in-time.ts';
import type { OpenBuild } from './open-build.ts';
import { STOPS_OTHERS_IN_TIME, stopOtherRun } from './other-run.ts';

/** How many times to look while a build goes on: first after a reconcile window, then each time after twice the last pause. */
const LOOKS = 5;

/**
 * How long the search of a look may take, in milliseconds. A build that has ended stays open for the last look, and a retry is refused
 * until then: also while the runs that it finds are stopped.
 */
const LOOK_MS = 60_000;

/** The same for a build that ended without a run. GitHub may refuse lists for minutes, and nobody looks for its run afterwards. */
const IN_DOUBT_MS = 600_000;

/**
 * Looks for runs of dispatches that were given up: GitHub may show them much later than it should. The build has another run by then,
 * so cancels each one, if the forge can, and records it. Returns after `until` has settled and one last look.
 */
export async function cancelLateRuns(
  build: OpenBuild,
  { run, abandoned }: { run: Run; abandoned: string[] },
  until: Promise<unknown>,
): Promise<void> {
  if (abandoned.length === 0) return;
  const { policy } = build.input;
  const looking = new CancellationScope();
  const looks = looking.run(async () => {
    for (let look = 0; look < LOOKS; look++) {
      await sleep(policy.reconcile_window_ms * 2 ** look);
      await cancelRunsOf(build, abandoned, run);
    }
  });
  // Rejects when it is cancelled below; the last look makes up for one that was cut short.
  looks.catch(() => {});
  await until;
  looking.cancel();
  await cancelRunsOf(build, abandoned, run);
}

/**
 * Looks once for runs of dispatches of a build that ended without one: an operator may have cancelled it in doubt, or GitHub shows
 * them only now. No build would follow them any more, so cancels and records each one.
 */
export async function lookForLateRuns(build: OpenBuild, tokens: string[] = []): Promise<void> {
  if (tokens.length === 0 || !patched('last-look-without-a-run')) return;
  // Older versions gave up after a minute also what was found: that was neither stopped nor recorded.
  if (patched('last-look-stops-what-it-finds')) await cancelRunsOf(build, tokens);
  else await within(LOOK_MS, () => cancelRunsOf(build, tokens));
}

/** Cancels and records the runs that carry one of the tokens, except the build's own. */
async function cancelRunsOf(build: OpenBuild, tokens: string[], own?: Run) {
  const { policy, request, created_at } = build.input;
  const { forge } = request;
  const github = githubActivities(policy.request_timeout_ms);
  const find = () =>
    github.findRuns({
      forge,
      repository: request.repository,
      workflow: request.workflow,
      ref: request.ref,
      tokens,
      since: created_at,
    });
  const finding = patched(STOPS_OTHERS_IN_TIME) ? await within(own ? LOOK_MS : IN_DOUBT_MS, find) : await find();
  if (finding?.kind !== 'found') return;
  for (const { run_id, run_url } of finding.runs) {
    if (run_id === own?.run_id) continue;
    if (!(await stopOtherRun(build, { run_id, run_url }, 'late'))) continue;
    await build.recordEvent('late_run_cancelled', `late:${run_id}`, { workflow_run_id: run_id, run_url });
  }
}
