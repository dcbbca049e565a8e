import { patched, workflowInfo } from '@temporalio/workflow';
import type { Resumption } from '../../contracts/builds/build-workflow.ts';
import type { KnownRun, RerunOutcome, RunView } from '../../contracts/github/github.ts';
import { backoff } from '../../domain/backoff.ts';
import { githubActivities } from '../activities.ts';
import { readUntil, within } from './in-time.ts';
import { LONGEST_PAUSE_MS, type NoRun, NotDoneAttempts } from './not-done.ts';
import type { OpenBuild } from './open-build.ts';
import { awaitWriteSlot } from './write-slot.ts';

/** How many times to look at a run within the reconcile window of a doubtful re-run. */
const LOOKS = 4;
const UNREAD = 'Hapax could not find out whether the run was re-run, so it may be running';
/** How long a look at the run may take before it is run again, in milliseconds. */
const READ_BEFORE_MS = 30_000;

/**
 * Makes one more attempt of a run that ended. The number of attempts is its token. It is read before the intent, since somebody may
 * have run the run again at GitHub meanwhile. If the response is in doubt, reads the run until it has more attempts than before, or
 * until a window has passed without one.
 */
export async function rerun(
  build: OpenBuild,
  { mode, run }: { mode: Resumption['mode']; run: KnownRun },
): Promise<{ none: NoRun } | { seen: { status: string; run_attempt: number } }> {
  const { input, state, operator, recordEvent } = build;
  const { policy, request } = input;
  const github = githubActivities(policy.request_timeout_ms);
  const target = { forge: request.forge, repository: request.repository, run_id: run.run_id };
  const failedJobsOnly = mode === 'rerun_failed';
  const notDone = new NotDoneAttempts(build);
  let known = run.run_attempt;
  for (let attempt = 1, lost = 0; ; attempt++) {
    state.phase = 'dispatching';
    state.attempt = attempt;
    await awaitWriteSlot(build);
    if (operator.cancelledBy !== undefined && !input.recovery && !(await wasIntended(attempt)))
      return none('cancelled', 'cancelled before the re-run was sent', attempt - 1);
    if (patched('rerun-reads-first')) {
      const now = await readNow();
      // Somebody runs it again at GitHub, or it never ended. Follow that attempt, and request no other.
      if (now && now.status !== 'completed') return { seen: { status: now.status, run_attempt: now.run_attempt } };
      if (now?.conclusion === 'success') {
        if (now.run_attempt > known) return { seen: ended(known) };
        // The build had ended without it, for example because its workflow was terminated.
        if (patched('rerun-takes-a-success')) return { seen: { status: '', run_attempt: 0 } };
      }
      known = Math.max(known, now?.run_attempt ?? 0);
    }
    const intent = await recordEvent('rerun_intended', `rerun:${attempt}:intended`, {
      workflow_run_id: run.run_id,
      after_run_attempt: known,
      failed_jobs_only: failedJobsOnly,
      temporal_run_id: workflowInfo().runId,
    });
    const outcome = await post(intent.temporal_run_id, `rerun:${input.build_id}:${input.resume?.retry}:${attempt}`);
    if (outcome.kind === 'done') return { seen: ended(intent.after_run_attempt) };
    if (outcome.kind !== 'ambiguous') {
      const none = await notDone.take(outcome, attempt, `rerun:${attempt}`);
      if (none) return { none };
      continue;
    }
    notDone.sent();

    const { reason, request_id } = outcome;
    await recordEvent('rerun_ambiguous', `rerun:${attempt}:ambiguous`, {
      workflow_run_id: run.run_id,
      reason,
      request_id,
    });
    state.phase = 'reconciling';
    const deadlineAt = Date.now() + policy.deadline_ms;
    for (let look = 1; look <= LOOKS; look++) {
      const read = () => github.readRun({ ...target, run_attempt: intent.after_run_attempt });
      const now = patched('re-runs-are-read-until-the-deadline')
        ? await readUntil(build, deadlineAt, read)
        : await read();
      if (!now) {
        const isCancelled = operator.cancelledBy !== undefined;
        return none(isCancelled ? 'cancelled' : 'dispatch_failed', `${UNREAD} (${reason})`, attempt);
      }
      if (now.run_attempt > intent.after_run_attempt) return { seen: ended(intent.after_run_attempt) };
      if (look < LOOKS) await operator.pause(policy.reconcile_window_ms / (LOOKS - 1));
    }
    if (lost >= policy.max_retries)
      return none('dispatch_failed', `the run was not re-run; the last reason: ${reason}`, attempt);
    await operator.pause(backoff(lost, policy.retry_delay_ms, LONGEST_PAUSE_MS, Math.random()));
    lost += 1;
  }

  /** Says whether the record has the intent already: the workflow may have been reset, or Temporal set back, to before it. */
  async function wasIntended(attempt: number): Promise<boolean> {
    return patched('cancel-asks-for-a-rerun') && (await recordEvent.isRecorded(`rerun:${attempt}:intended`));
  }

  /** Returns the run as GitHub shows it; null if it does not respond soon. Then the request itself shows that GitHub is down. */
  async function readNow(): Promise<RunView | null> {
    return (await within(READ_BEFORE_MS, () => github.findRun(target))) ?? null;
  }

  async function post(intendedBy: string, claim: string): Promise<RerunOutcome> {
    try {
      return await github.rerunRun({ ...target, failed_jobs_only: failedJobsOnly, intended_by: intendedBy, claim });
    } catch {
      return { kind: 'ambiguous', reason: 'the worker was lost while it sent', request_id: null };
    }
  }
}

/** Returns an attempt that is over: any later one is news. */
function ended(run_attempt: number) {
  return { status: 'completed', run_attempt };
}

function none(conclusion: NoRun['conclusion'], reason: string, attempts: number): { none: NoRun } {
  return { none: { conclusion, reason, attempts } };
}
