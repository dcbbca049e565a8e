import { patched, setCurrentDetails } from '@temporalio/workflow';
import type { GitHubRefusal, NotDone } from '../../contracts/github/github.ts';
import { backoff, possiblePause } from '../../domain/backoff.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import type { OpenBuild } from './open-build.ts';

/** The reason why no run will come, and the conclusion that the build ends with. */
export interface NoRun {
  conclusion: 'dispatch_rejected' | 'dispatch_failed' | 'timed_out' | 'cancelled' | 'not_started';
  reason: string;
  attempts: number;
  /** Tokens of dispatches that may still have made a run; left out if there are none. */
  unsettled?: string[];
}

/** Longest pause between two attempts that may have reached GitHub. */
export const LONGEST_PAUSE_MS = 3_600_000;

/** Longest pause while GitHub cannot be reached, so that a build goes on soon after GitHub is back. Longer if the deadline is far. */
const LONGEST_UNSENT_PAUSE_MS = 60_000;

/** How many times to try until a deadline, about. A try takes some 15 events, and Temporal allows a workflow 51,200. */
const TRIES = 1_000;

/**
 * Handles dispatches and re-runs that certainly changed nothing at GitHub. Records a refusal, which is final. Records a request that
 * was not sent, and tries it again after a pause, for as long as the deadline allows. If a refusal may pass, tries again until its
 * patience ends.
 */
export class NotDoneAttempts {
  readonly #build: OpenBuild;
  #unsent = 0;
  #since = 0;
  /** Start of the time in which there were only refusals that may pass. */
  #refusedSince: number | undefined;

  constructor(build: OpenBuild) {
    this.#build = build;
  }

  /** Notes that a request was sent: failures to send count from the start again. */
  sent(): void {
    this.#unsent = 0;
    this.#refusedSince = undefined;
  }

  /** Waits until another attempt is due, then returns undefined; or returns why no run will come. @param step names the attempt. */
  async take(outcome: NotDone, attempt: number, step: string): Promise<NoRun | undefined> {
    if (outcome.kind === 'rejected') {
      const { status, message } = outcome;
      await this.#rejected(outcome, attempt, step);
      return {
        conclusion: 'dispatch_rejected',
        reason: `${capabilitiesOf(this.#build.input.request.forge).name} answered ${status}: ${message}`,
        attempts: attempt,
      };
    }
    const { reason, wait_ms, refusal } = outcome;
    const wait = possiblePause(wait_ms ?? backoff(this.#unsent, 1_000, this.#longestPauseMs(), Math.random()));
    if (this.#unsent === 0) this.#since = Date.now();
    this.#unsent += 1;
    const retryAt = new Date(Date.now() + wait);
    this.#refusedSince = refusal && (this.#refusedSince ?? Date.now());
    if (refusal && retryAt.getTime() >= this.#refusedSince! + refusal.patience_ms) {
      await this.#rejected(refusal, attempt, step);
      return { conclusion: 'dispatch_rejected', reason, attempts: attempt };
    }
    if (retryAt.getTime() >= this.#since + this.#build.input.policy.deadline_ms) {
      return { conclusion: 'timed_out', reason: `not sent until the deadline: ${reason}`, attempts: attempt };
    }
    await this.#build.recordEvent('dispatch_delayed', `${step}:delayed`, {
      attempt,
      reason,
      retry_at: retryAt.toISOString(),
    });
    setCurrentDetails(`Not sent: ${reason}`);
    await this.#build.operator.pause(wait);
    return undefined;
  }

  #longestPauseMs(): number {
    const pauseMs = this.#build.input.policy.deadline_ms / TRIES;
    const isLonger = pauseMs > LONGEST_UNSENT_PAUSE_MS && patched('pauses-grow-with-the-deadline');
    return isLonger ? pauseMs : LONGEST_UNSENT_PAUSE_MS;
  }

  async #rejected(
    { status, message, request_id }: Pick<GitHubRefusal, 'status' | 'message' | 'request_id'>,
    attempt: number,
    step: string,
  ): Promise<void> {
    await this.#build.recordEvent('dispatch_rejected', `${step}:rejected`, { attempt, status, message, request_id });
  }
}
