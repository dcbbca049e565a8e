import { patched } from '@temporalio/workflow';
import type { Run } from '../../contracts/github/github.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { githubActivities } from '../activities.ts';
import { within } from './in-time.ts';
import type { OpenBuild } from './open-build.ts';

/** How long the forge may take to cancel a run that is not the build's, in milliseconds. The build waits for that. */
const CANCELS_MS = 600_000;
/** How long a look at such a run may take, in milliseconds. */
const LOOKS_MS = 60_000;

/** The patch since which a build does not wait without end until the forge has stopped a run of another. */
export const STOPS_OTHERS_IN_TIME = 'stops-others-in-time';

/**
 * Cancels a run that is not the build's. If the forge cannot do that, or does not for ten minutes, records the run as left running, so
 * that a person can stop it.
 * @returns whether the run was cancelled; false if it had ended, undefined if it was not cancelled.
 */
export async function stopOtherRun(
  build: Pick<OpenBuild, 'input' | 'recordEvent'>,
  run: Run,
  reason: 'late' | 'duplicate',
): Promise<boolean | undefined> {
  const { policy, request } = build.input;
  const { forge, repository } = request;
  if (capabilitiesOf(forge).cancels) {
    const cancel = () =>
      githubActivities(policy.request_timeout_ms).cancelRun({ forge, repository, run_id: run.run_id });
    const cancelled = patched(STOPS_OTHERS_IN_TIME) ? await within(CANCELS_MS, cancel) : await cancel();
    if (cancelled !== undefined) return cancelled;
  }
  await leaveRunning(build, run, reason);
  return undefined;
}

/** Records a run that is left running. Does nothing if it has already ended. */
async function leaveRunning(
  { input: { policy, request }, recordEvent }: Pick<OpenBuild, 'input' | 'recordEvent'>,
  { run_id, run_url }: Run,
  reason: 'late' | 'duplicate',
): Promise<void> {
  const { forge, repository } = request;
  const look = () => githubActivities(policy.request_timeout_ms).findRun({ forge, repository, run_id });
  const now = patched(STOPS_OTHERS_IN_TIME) ? await within(LOOKS_MS, look) : await look();
  if (now === null || now?.status === 'completed') return;
  await recordEvent('run_left_running', `left:${run_id}`, { workflow_run_id: run_id, run_url, reason });
}
