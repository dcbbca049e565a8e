import { CancellationScope, isCancellation, patched, sleep } from '@temporalio/workflow';
import type { Run } from '../../contracts/github/github.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { githubActivities } from '../activities.ts';
import { leaveRunning } from './leave-running.ts';
import type { OpenBuild } from './open-build.ts';

/** How many times to look while a build goes on: first after a reconcile window, then each time after twice the last pause. */
const LOOKS = 5;

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

/** How long a build that has ended without a run may stay open for a last look, in milliseconds: an equal request waits for it. */
const LAST_LOOK_MS = 60_000;

/**
 * Looks once for runs of dispatches of a build that ended without one: an operator may have cancelled it in doubt, or GitHub shows
 * them only now. No build would follow them any more, so cancels and records each one.
 */
export async function lookForLateRuns(build: OpenBuild, tokens: string[] = []): Promise<void> {
  if (tokens.length === 0 || !patched('last-look-without-a-run')) return;
  await CancellationScope.withTimeout(LAST_LOOK_MS, () => cancelRunsOf(build, tokens)).catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

/** Cancels and records the runs that carry one of the tokens, except the build's own. */
async function cancelRunsOf({ input, recordEvent }: OpenBuild, tokens: string[], own?: Run) {
  const { policy, request, created_at } = input;
  const { forge } = request;
  const github = githubActivities(policy.request_timeout_ms);
  const finding = await github.findRuns({
    forge,
    repository: request.repository,
    workflow: request.workflow,
    ref: request.ref,
    tokens,
    since: created_at,
  });
  if (finding.kind !== 'found') return;
  for (const { run_id, run_url } of finding.runs) {
    if (run_id === own?.run_id) continue;
    if (!capabilitiesOf(forge).cancels) {
      await leaveRunning({ input, recordEvent }, { run_id, run_url }, 'late');
      continue;
    }
    const running = await github.cancelRun({ forge, repository: request.repository, run_id });
    if (running) await recordEvent('late_run_cancelled', `late:${run_id}`, { workflow_run_id: run_id, run_url });
  }
}
