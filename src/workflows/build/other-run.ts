import { patched, sleep } from '@temporalio/workflow';
import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import type { Run, RunView } from '../../contracts/github/github.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { githubActivities } from '../activities.ts';
import { within } from './in-time.ts';
import type { OpenBuild } from './open-build.ts';

/** How long the forge may take to cancel a run that is not the build's, in milliseconds. The build waits for that. */
const CANCELS_MS = 600_000;
/** How long a look at such a run may take, in milliseconds. */
const LOOKS_MS = 60_000;

/** First pause before a run that the forge refused to cancel is cancelled again, in milliseconds; doubles each time. */
export const CANCEL_AGAIN_MS = 10_000;

/** The patch since which a build does not wait without end until the forge has stopped a run of another. */
export const STOPS_OTHERS_IN_TIME = 'stops-others-in-time';
/** The patch since which a run that the forge refuses to cancel does not count as ended: it may not have been queued yet. */
export const CANCELS_OTHERS_AGAIN = 'cancels-others-again';

/**
 * Cancels a run that is not the build's, again while the forge refuses that and the run goes on. If the forge cannot do that, or does
 * not for ten minutes, records the run as left running, so that a person can stop it.
 * @returns whether the run was cancelled; false if it had ended, undefined if it was not cancelled.
 */
export async function stopOtherRun(
  build: Pick<OpenBuild, 'input' | 'recordEvent'>,
  run: Run,
  reason: 'late' | 'duplicate',
): Promise<boolean | undefined> {
  const { forge } = build.input.request;
  if (capabilitiesOf(forge).cancels) {
    const stop = () => cancelOrSeeEnded(build.input, run);
    const cancelled = patched(STOPS_OTHERS_IN_TIME) ? await within(CANCELS_MS, stop) : await stop();
    if (cancelled !== undefined) return cancelled;
  }
  await leaveRunning(build, run, reason);
  return undefined;
}

/** Cancels a run. @returns false if it had ended. */
async function cancelOrSeeEnded(input: BuildInput, { run_id }: Run): Promise<boolean> {
  const { forge, repository } = input.request;
  const { cancelRun } = githubActivities(input.policy.request_timeout_ms);
  for (let pauseMs = CANCEL_AGAIN_MS; ; pauseMs *= 2) {
    if (await cancelRun({ forge, repository, run_id })) return true;
    if (!patched(CANCELS_OTHERS_AGAIN) || hasEnded(await look(input, run_id))) return false;
    await sleep(pauseMs);
  }
}

/** Records a run that is left running. Does nothing if it has already ended. */
async function leaveRunning(
  { input, recordEvent }: Pick<OpenBuild, 'input' | 'recordEvent'>,
  { run_id, run_url }: Run,
  reason: 'late' | 'duplicate',
): Promise<void> {
  const seen = () => look(input, run_id);
  const now = patched(STOPS_OTHERS_IN_TIME) ? await within(LOOKS_MS, seen) : await seen();
  if (now !== undefined && hasEnded(now)) return;
  await recordEvent('run_left_running', `left:${run_id}`, { workflow_run_id: run_id, run_url, reason });
}

function look({ policy, request: { forge, repository } }: BuildInput, run_id: number): Promise<RunView | null> {
  return githubActivities(policy.request_timeout_ms).findRun({ forge, repository, run_id });
}

function hasEnded(run: RunView | null): boolean {
  return run === null || run.status === 'completed';
}
