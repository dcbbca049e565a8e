import { CancellationScope, sleep } from '@temporalio/workflow';
import type { BuildInput } from '../contracts/build-workflow.ts';
import type { Run } from '../contracts/github.ts';
import { githubActivities } from './activities.ts';
import type { Tell } from './teller.ts';

/** How often to look while a build goes on: first after a reconcile window, then each time after twice the last pause. */
const LOOKS = 5;

/**
 * Looks for runs of dispatches that were given up: GitHub may show them much later than it should. The build has another
 * run by then, so each is cancelled and recorded. Returns after `until` has settled and one last look.
 */
export async function cancelLateRuns(
  input: BuildInput,
  tell: Tell,
  { run, abandoned }: { run: Run; abandoned: string[] },
  until: Promise<unknown>,
): Promise<void> {
  if (abandoned.length === 0) return;
  const { policy, request } = input;
  const github = githubActivities(policy.request_timeout_ms);
  const looking = new CancellationScope();
  const looks = looking.run(async () => {
    for (let look = 0; look < LOOKS; look++) {
      await sleep(policy.reconcile_window_ms * 2 ** look);
      await lookOnce();
    }
  });
  // Rejects when it is cancelled below; the last look makes up for one that was cut short.
  looks.catch(() => {});
  await until;
  looking.cancel();
  await lookOnce();

  async function lookOnce(): Promise<void> {
    const finding = await github.findRuns({
      repository: request.repository,
      workflow: request.workflow,
      ref: request.ref,
      tokens: abandoned,
      since: input.created_at,
    });
    if (finding.kind !== 'found') return;
    for (const { run_id, run_url } of finding.runs) {
      if (run_id === run.run_id) continue;
      const running = await github.cancelRun({ repository: request.repository, run_id });
      if (running) await tell('late_run_cancelled', `late:${run_id}`, { workflow_run_id: run_id, run_url });
    }
  }
}
