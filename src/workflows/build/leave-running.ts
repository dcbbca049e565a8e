import type { Run } from '../../contracts/github/github.ts';
import { githubActivities } from '../activities.ts';
import type { OpenBuild } from './open-build.ts';

/** Records a run that is not the build's and that Hapax cannot stop, so that a person can. Does nothing if the run has already ended. */
export async function leaveRunning(
  { input: { policy, request }, recordEvent }: Pick<OpenBuild, 'input' | 'recordEvent'>,
  { run_id, run_url }: Run,
  reason: 'late' | 'duplicate',
): Promise<void> {
  const { forge, repository } = request;
  const now = await githubActivities(policy.request_timeout_ms).findRun({ forge, repository, run_id });
  if (!now || now.status === 'completed') return;
  await recordEvent('run_left_running', `left:${run_id}`, { workflow_run_id: run_id, run_url, reason });
}
