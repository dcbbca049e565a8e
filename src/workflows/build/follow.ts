import { CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';
import type { Run, RunView } from '../../contracts/github/github.ts';
import { COMPLETED } from '../../domain/builds/event-keys.ts';
import { mayStop } from '../../domain/builds/may-stop.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { githubActivities } from '../activities.ts';
import type { OpenBuild } from './open-build.ts';
import { CANCEL_AGAIN_MS } from './other-run.ts';

/** The end of a followed run. */
export interface Ended {
  conclusion: string;
  run_attempt: number | null;
  learned_from: 'webhook' | 'poll' | 'deadline' | 'operator' | 'dispatch' | 'listing';
  request_id: string | null;
  /** The webhook that made us look, if one did. */
  delivery_id?: string;
  /** Details that a person should know. */
  detail?: string;
  /** Commit that the run works on. */
  commit?: string;
}

function unlessCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}

/** Returns the end of a run that GitHub reports. */
export function endOf(view: RunView, learned: Change['learned']): Ended {
  const { conclusion, run_attempt, request_id } = view;
  return { conclusion: conclusion ?? 'unknown', run_attempt, request_id, ...learned, ...commitOf(view) };
}

function commitOf({ commit }: RunView): { commit?: string } {
  return commit === undefined ? {} : { commit };
}

/** A change that GitHub confirmed, and what made us look. */
interface Change {
  view: RunView;
  learned: { learned_from: 'poll' } | { learned_from: 'webhook'; delivery_id: string };
}

/** While webhooks arrive, polls are this many times rarer: they only guard against a lost webhook. */
const WIDENING = 5;

/** How long a run may take to stop, once its forge took the cancellation, before the build ends without waiting for it. */
const CANCEL_GRACE_MS = 600_000;

/**
 * Follows a run until its forge confirms its end. At the deadline, or when an operator asks, cancels the run and follows it a while
 * longer. If Hapax may not stop the run, an operator's request is recorded and changes nothing, and at the deadline the build ends
 * without the run. Waiting takes no worker slot and adds nothing to the history.
 * @param seen the last known state of the run: an end of that attempt is old news.
 */
export async function follow(
  { input, operator, webhooks, recordEvent, prefix }: OpenBuild,
  run: Run,
  seen: { status: string; run_attempt: number } = { status: '', run_attempt: 0 },
): Promise<Ended> {
  const { policy, request } = input;
  const github = githubActivities(policy.request_timeout_ms);
  const cancels = mayStop(request);
  const target = { forge: request.forge, repository: request.repository, run_id: run.run_id };
  const following = new CancellationScope();
  let last: Change | undefined;
  let failure: unknown;
  /** Whether to ask GitHub about the run as soon as possible, besides the polls. */
  let mustLook = false;
  void following.run(untilCompleted).catch((error: unknown) => {
    failure = error;
  });
  const settled = () => last?.view.status === 'completed' || failure !== undefined;

  /** Whether the forge took a cancellation of the run, as far as is known. */
  let isCancelled = true;
  const deadlineAt = Date.now() + policy.deadline_ms;
  let inTime = await condition(() => settled() || operator.cancelledBy !== undefined, policy.deadline_ms);
  if (!settled() && !cancels) {
    if (inTime) {
      // Nobody can stop the run, so the build waits for its end: a build that says "cancelled" has no run that goes on.
      await recordEvent('cancel_requested', 'cancel', { by: operator.cancelledBy! });
      inTime = await condition(settled, Math.max(1, deadlineAt - Date.now()));
    }
  } else if (!settled()) {
    if (inTime) await recordEvent('cancel_requested', 'cancel', { by: operator.cancelledBy! });
    isCancelled = await stop();
  }
  following.cancel();
  if (failure !== undefined && !isCancellation(failure)) throw failure;

  // A run that ended by itself while being cancelled keeps its own conclusion.
  const { conclusion = null, run_attempt = null, request_id = null } = last?.view ?? {};
  if (last?.view.status === 'completed' && (inTime || conclusion !== 'cancelled')) {
    return endOf(last.view, last.learned);
  }
  if (!cancels) {
    const why = request.shadow
      ? 'another program started the run'
      : `${capabilitiesOf(request.forge).name} has no way to stop a run`;
    const detail = `${why}, so it may still be running: ${run.run_url}`;
    return { conclusion: 'timed_out', run_attempt, learned_from: 'deadline', request_id, detail };
  }
  const detail = `${capabilitiesOf(request.forge).name} has not taken the cancellation, so it may still be running: ${run.run_url}`;
  const end = { run_attempt, request_id, ...(isCancelled ? {} : { detail }) };
  return inTime
    ? { conclusion: 'cancelled', learned_from: 'operator', ...end }
    : { conclusion: 'timed_out', learned_from: 'deadline', ...end };

  /** Cancels the run and waits for its end. Returns whether the forge took the cancellation, as far as is known. */
  async function stop(): Promise<boolean> {
    if (!patched('grace-begins-when-cancelled')) {
      await CancellationScope.withTimeout(CANCEL_GRACE_MS, async () => {
        await cancelPersistently();
        await condition(settled);
      }).catch(unlessCancellation);
      return true;
    }
    // The forge may be away, or take no requests for a while. Until it takes this one, the run goes on.
    const sending = new CancellationScope({
      cancellable: true,
      timeout: Math.max(CANCEL_GRACE_MS, policy.deadline_ms),
    });
    let isTaken = false;
    const sent = sending.run(cancelPersistently).then(() => {
      isTaken = true;
    }, unlessCancellation);
    await Promise.race([sent, condition(settled)]);
    sending.cancel();
    if (isTaken) await condition(settled, CANCEL_GRACE_MS);
    return isTaken;
  }

  /**
   * Cancels the run, again if need be. A run that cannot be cancelled has ended, which a look shows at once, or has not started,
   * which passes.
   */
  async function cancelPersistently(): Promise<void> {
    for (let pauseMs = CANCEL_AGAIN_MS; !settled(); pauseMs *= 2) {
      if (await github.cancelRun(target)) return;
      if (!patched('look-after-a-refused-cancel')) return;
      mustLook = true;
      await condition(settled, pauseMs);
    }
  }

  async function untilCompleted(): Promise<void> {
    let interval_ms = policy.poll_interval_ms;
    for (let changes = 1; ; changes++) {
      const change = await nextChange(interval_ms);
      const { view, learned } = change;
      // If a poll finds a change first, webhooks do not arrive.
      interval_ms = policy.poll_interval_ms * (learned.learned_from === 'webhook' ? WIDENING : 1);
      if (view.status !== 'completed') {
        await recordEvent('run_updated', `run:${changes}:${view.run_attempt}:${view.status}`, {
          run_status: view.status,
          run_attempt: view.run_attempt,
          request_id: view.request_id,
          ...learned,
          ...commitOf(view),
        });
      }
      seen = { status: view.status, run_attempt: view.run_attempt };
      last = change;
      if (view.status === 'completed') return;
    }
  }

  /** Reads the run as it is now. After a webhook, reads it within the workflow task that the webhook causes; that task records it, too. */
  function look(isTold: boolean): Promise<RunView> {
    const looked = { ...target, run_attempt: seen.run_attempt };
    if (!isTold || !patched('looks-within-the-task')) return github.readRun(looked);
    return github.lookAtRun({ ...looked, build_id: input.build_id, end_key: `${prefix}${COMPLETED}` });
  }

  /** Returns the next change that GitHub confirms. Looks for it at every webhook, and by polling. */
  async function nextChange(interval_ms: number): Promise<Change> {
    const polling = new CancellationScope();
    let polled: RunView | undefined;
    let broken: unknown;
    void polling
      .run(() => github.awaitRunChange({ ...target, seen, interval_ms }))
      .then(
        (view) => (polled = view),
        (error: unknown) => (broken = error),
      );
    for (;;) {
      await condition(() => polled !== undefined || broken !== undefined || mustLook || webhooks.has(run.run_id));
      if (polled) return { view: polled, learned: { learned_from: 'poll' } };
      if (broken !== undefined) throw broken;
      const delivery_id = mustLook ? undefined : webhooks.take(run.run_id)!;
      mustLook = false;
      const view = await look(delivery_id !== undefined);
      if (view.status === seen.status && view.run_attempt === seen.run_attempt) continue;
      polling.cancel();
      if (delivery_id === undefined) return { view, learned: { learned_from: 'poll' } };
      return { view, learned: { learned_from: 'webhook', delivery_id } };
    }
  }
}
