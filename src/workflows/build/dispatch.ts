import { ActivityFailure, ApplicationFailure, patched, sleep, uuid4, workflowInfo } from '@temporalio/workflow';
import { type BuildPolicy, DIRECT_INTENT } from '../../contracts/builds/build-workflow.ts';
import type { DispatchOutcome, Run } from '../../contracts/github/github.ts';
import { backoff } from '../../domain/backoff.ts';
import { dispatchToken, tokenPrefix } from '../../domain/builds/dispatch-token.ts';
import { dispatchStep, TRIGGERED } from '../../domain/builds/event-keys.ts';
import { githubActivities } from '../activities.ts';
import { askOperator } from './ask-operator.ts';
import { LONGEST_PAUSE_MS, type NoRun, NotDoneAttempts } from './not-done.ts';
import type { OpenBuild } from './open-build.ts';
import { reconcile } from './reconcile.ts';
import { awaitWriteSlot } from './write-slot.ts';

/** How long to wait before a database that is down is asked again, in milliseconds. */
const RECORD_PAUSE_MS = 5_000;

/** Why the intent of a direct dispatch may be missing. */
const DIRECT_FORGOTTEN = 'the request that triggered it was cut off, or the record has lost what it did';

/**
 * Makes exactly one run. Records an intent for each POST before sending it, and sends it once. Settles any doubt by reading: another
 * POST follows only a complete window in which no run appeared.
 */
export async function dispatch(build: OpenBuild): Promise<{ run: Run; abandoned: string[] } | { none: NoRun }> {
  const { input, state, operator, recordEvent } = build;
  const { policy, request } = input;
  const github = githubActivities(policy.request_timeout_ms);
  /** Whether a dispatch may have been sent that the record has lost. All tokens of the build have the same prefix. */
  let mayBeForgotten = input.recovery?.record_set_back ?? false;
  const tokens = mayBeForgotten ? [tokenPrefix(input.build_id)] : [];
  /** Tokens of dispatches that were given up without certainty. */
  const abandoned: string[] = [];
  const notDone = new NotDoneAttempts(build);
  let lost = 0;
  /** No dispatch was sent before this time. */
  let since: string | undefined;
  const after = input.resume?.run ? { after_run: input.resume.run.run_id } : {};
  for (let attempt = 1; ; attempt++) {
    state.phase = 'dispatching';
    state.attempt = attempt;
    await awaitWriteSlot(build);
    // The request records its intent before it sends. If there is no intent, the request died before that, or the record has lost it.
    const mayBeDirect = input.direct === true && attempt === 1;
    const mayBeSent = mayBeDirect || input.recovery !== undefined;
    if (operator.cancelledBy !== undefined && !mayBeSent && !(await wasIntended(attempt)))
      return none('cancelled', 'cancelled before another dispatch', attempt - 1);
    const intendedAt = new Date().toISOString();
    const token = dispatchToken(input.build_id, attempt, uuid4());
    const intent = await recordEvent('dispatch_intended', `${dispatchStep(attempt)}:intended`, {
      attempt,
      token,
      temporal_run_id: workflowInfo().runId,
    });
    tokens.push(intent.token);
    // The run id does not tell: after a reset, the new run replays what the run before it did, draws the same token, and must decide alike.
    const isOurs = intent.token === token;
    since ??= isOurs && !input.recovery && !input.direct ? intendedAt : (input.resume?.at ?? input.created_at);

    const isForgottenDirect = mayBeDirect && intent.temporal_run_id !== DIRECT_INTENT;
    if (isForgottenDirect) tokens.push(tokenPrefix(input.build_id));
    const looksFirst = isForgottenDirect || (isOurs && mayBeForgotten);
    const isCancelled = operator.cancelledBy !== undefined && isOurs;
    const outcome = looksFirst
      ? forgotten(policy, mayBeForgotten ? 'the record has lost events' : DIRECT_FORGOTTEN)
      : await (isCancelled ? withdraw : post)(intent.token, intent.temporal_run_id);
    if (!outcome) return none('cancelled', 'cancelled before the dispatch was sent', attempt - 1);
    if (outcome.kind === 'accepted') {
      const recorded = await triggered(outcome, attempt, 'dispatch', outcome.correlated, outcome.request_id);
      // If the record has the run of another attempt, from before a reset, this one was given up.
      if (recorded.attempt !== attempt) abandoned.push(intent.token);
      if (recorded.attempt > attempt) continue;
      return { run: recorded.run, abandoned };
    }
    if (outcome.kind !== 'ambiguous') {
      const none = await notDone.take(outcome, attempt, dispatchStep(attempt));
      if (none) return { none: { ...none, unsettled: abandoned } };
      continue;
    }
    notDone.sent();

    const { reason, request_id, accepted, correlated } = outcome;
    await recordEvent('dispatch_ambiguous', `${dispatchStep(attempt)}:ambiguous`, {
      attempt,
      reason,
      request_id,
      accepted,
      correlated,
    });
    state.phase = 'reconciling';
    const verdict = await reconcile(build, { tokens, since, ...after }, outcome);
    if (verdict.kind === 'found') {
      const { run } = await triggered(verdict.run, attempt, 'reconcile', true, null);
      return { run, abandoned };
    }
    if (verdict.kind === 'doubtful') {
      const instructed = await askOperator(build, { attempt, reason: verdict.reason });
      if (instructed === 'cancel') {
        abandoned.push(intent.token);
        return none('cancelled', `cancelled while it needed attention: ${verdict.reason}`, attempt);
      }
      if (instructed !== 'retry') {
        const { run } = await triggered(instructed.adopt, attempt, 'operator', false, null);
        return { run, abandoned };
      }
      abandoned.push(intent.token);
      // The operator's word also settles what may be forgotten.
      mayBeForgotten = false;
      continue;
    }
    abandoned.push(intent.token);
    await recordEvent('dispatch_absent', `${dispatchStep(attempt)}:absent`, { attempt, complete_reads: verdict.reads });
    if (looksFirst) {
      mayBeForgotten = false;
      continue;
    }
    if (lost >= policy.max_retries) {
      return none('dispatch_failed', `${lost + 1} dispatches made no run; the last reason: ${reason}`, attempt);
    }
    await operator.pause(backoff(lost, policy.retry_delay_ms, LONGEST_PAUSE_MS, Math.random()));
    lost += 1;
  }

  function none(conclusion: NoRun['conclusion'], reason: string, attempts: number): { none: NoRun } {
    return { none: { conclusion, reason, attempts, unsettled: abandoned } };
  }

  /** Says whether the record has the intent already: the workflow may have been reset, or Temporal set back, to before it. */
  async function wasIntended(attempt: number): Promise<boolean> {
    return patched('cancel-asks-the-record') && (await recordEvent.isRecorded(`${dispatchStep(attempt)}:intended`));
  }

  /** Withdraws a dispatch. Returns undefined if it was not sent, and never will be. */
  async function withdraw(token: string, intendedBy: string): Promise<DispatchOutcome | undefined> {
    if (!patched('cancel-withdraws')) return undefined;
    const correlated = policy.correlation_input !== '';
    const intended = { build_id: input.build_id, correlated, intended_by: intendedBy, claim: `dispatch:${token}` };
    return (await github.withdrawDispatch(intended)) ?? undefined;
  }

  async function post(token: string, intendedBy: string): Promise<DispatchOutcome> {
    const correlation = policy.correlation_input === '' ? null : { input: policy.correlation_input, token };
    for (;;) {
      try {
        return await github.dispatchRun({
          build_id: input.build_id,
          request,
          correlation,
          intended_by: intendedBy,
          claim: `dispatch:${token}`,
        });
      } catch (error) {
        // Sending does not need the record. The activity reads it only for what an earlier run sent, and it is down.
        if (isDatabaseFault(error)) {
          await sleep(RECORD_PAUSE_MS);
          continue;
        }
        // The worker died or was cut off before the response was recorded.
        return {
          kind: 'ambiguous',
          reason: 'the worker was lost while it sent',
          accepted: false,
          correlated: correlation !== null,
          request_id: null,
        };
      }
    }
  }

  async function triggered(
    run: Run,
    attempt: number,
    learnedFrom: 'dispatch' | 'reconcile' | 'operator',
    correlated: boolean,
    requestId: string | null,
  ): Promise<{ run: Run; attempt: number }> {
    const recorded = await recordEvent('workflow_triggered', TRIGGERED, {
      attempt,
      workflow_run_id: run.run_id,
      run_url: run.run_url,
      learned_from: learnedFrom,
      correlated,
      request_id: requestId,
    });
    return { run: { run_id: recorded.workflow_run_id, run_url: recorded.run_url }, attempt: recorded.attempt };
  }
}

/** Returns the outcome of a dispatch that nobody remembers: an ambiguous one. */
function forgotten({ correlation_input }: BuildPolicy, why: string): Extract<DispatchOutcome, { kind: 'ambiguous' }> {
  return {
    kind: 'ambiguous',
    reason: `${why}, so an earlier dispatch may have been sent`,
    accepted: false,
    correlated: correlation_input !== '',
    request_id: null,
  };
}

function isDatabaseFault(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof ApplicationFailure &&
    error.cause.type === 'DatabaseError'
  );
}
