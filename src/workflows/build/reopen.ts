import { condition } from '@temporalio/workflow';
import type { Reopening } from '../../contracts/builds/build-workflow.ts';
import type { KnownRun, Run } from '../../contracts/github/github.ts';
import { githubActivities } from '../activities.ts';
import { type Ended, endOf } from './follow.ts';
import { type OpenBuild, under } from './open-build.ts';

/** A build that goes on after its end, with its run. */
export interface Reopened {
  build: OpenBuild;
  dispatched: { run: Run; abandoned: string[]; seen: { status: string; run_attempt: number }; ended?: Ended };
}

/**
 * Goes on with a build whose run somebody ran again on GitHub's own page. Records it once GitHub confirms that there is another
 * attempt; returns undefined if there is none.
 */
export async function reopen(
  build: OpenBuild,
  { run, delivery_id, recorded_attempt, learned_from }: Reopening,
): Promise<Reopened | undefined> {
  const { policy, request } = build.input;
  const github = githubActivities(policy.request_timeout_ms);
  const view = await github.readRun({
    forge: request.forge,
    repository: request.repository,
    run_id: run.run_id,
    run_attempt: run.run_attempt,
  });
  if (view.run_attempt <= run.run_attempt) return undefined;
  const run_attempt = recorded_attempt ?? view.run_attempt;
  const step = `reopened:${run.run_id}:${run_attempt}`;
  await build.record.under('')('build_reopened', step, {
    workflow_run_id: run.run_id,
    run_attempt,
    run_status: view.status,
    learned_from: learned_from ?? 'webhook',
    request_id: view.request_id,
    delivery_id,
  });
  await build.record.recordRecovery();
  // A short attempt may have ended by now. No other webhook will report it, and a listing that was read before does not show it.
  const learned = learned_from
    ? ({ learned_from: 'poll' } as const)
    : ({ learned_from: 'webhook', delivery_id } as const);
  const ended = view.status === 'completed' ? endOf(view, learned) : undefined;
  const seen = { status: view.status, run_attempt: view.run_attempt };
  const dispatched = { run, abandoned: [], seen, ...(ended ? { ended } : {}) };
  return { build: under(build, `${step}:`), dispatched };
}

/**
 * Stays open for this time. Returns early if a webhook says that the run was run again, and GitHub confirms it. Looks into a webhook
 * that came while the end was recorded, however short the time is: nobody else would.
 */
export async function reopenedWithin(build: OpenBuild, ms: number, run: KnownRun): Promise<Reopened | undefined> {
  const { webhooks } = build;
  const closesAt = Date.now() + ms;
  const isTold = () => webhooks.has(run.run_id, run.run_attempt);
  for (;;) {
    const left = closesAt - Date.now();
    if (!isTold() && (left <= 0 || !(await condition(isTold, left)))) return undefined;
    const reopened = await reopen(build, { run, delivery_id: webhooks.take(run.run_id)! });
    if (reopened) return reopened;
  }
}
