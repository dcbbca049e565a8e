import type { BuildPolicy } from '../contracts/build-workflow.ts';
import type { NotDone } from '../contracts/github.ts';
import { backoff } from '../domain/backoff.ts';
import type { Operator } from './operator.ts';
import type { Tell } from './teller.ts';

/** No run will come: the conclusion under which the build ends and, in words, why. */
export interface NoRun {
  conclusion: 'dispatch_rejected' | 'dispatch_failed' | 'timed_out' | 'cancelled';
  reason: string;
  attempts: number;
}

/** Longest pause between two attempts that may have reached GitHub. */
export const LONGEST_PAUSE_MS = 3_600_000;

/** Longest pause while GitHub cannot be reached, so that a build goes on soon after it can. */
const LONGEST_UNSENT_PAUSE_MS = 60_000;

/**
 * Takes attempts that certainly changed nothing, of dispatches and re-runs alike: a refusal is recorded and final; what
 * was not sent is recorded and waited out, until it has been so for as long as the deadline allows.
 */
export class NotDoneAttempts {
  readonly #policy: BuildPolicy;
  readonly #tell: Tell;
  readonly #operator: Operator;
  #unsent = 0;
  #since = 0;

  constructor(policy: BuildPolicy, tell: Tell, operator: Operator) {
    this.#policy = policy;
    this.#tell = tell;
    this.#operator = operator;
  }

  /** Something was sent: what is not sent from now on counts anew. */
  sent(): void {
    this.#unsent = 0;
  }

  /** Why no run will come; undefined where another attempt is due, now that its time has come. @param step names the attempt. */
  async take(outcome: NotDone, attempt: number, step: string): Promise<NoRun | undefined> {
    if (outcome.kind === 'rejected') {
      const { status, message, request_id } = outcome;
      await this.#tell('dispatch_rejected', `${step}:rejected`, { attempt, status, message, request_id });
      return { conclusion: 'dispatch_rejected', reason: `GitHub answered ${status}: ${message}`, attempts: attempt };
    }
    const { reason, wait_ms } = outcome;
    const wait = wait_ms ?? backoff(this.#unsent, 1_000, LONGEST_UNSENT_PAUSE_MS, Math.random());
    if (this.#unsent === 0) this.#since = Date.now();
    this.#unsent += 1;
    const retryAt = new Date(Date.now() + wait);
    if (retryAt.getTime() >= this.#since + this.#policy.deadline_ms) {
      return { conclusion: 'timed_out', reason: `not sent until the deadline: ${reason}`, attempts: attempt };
    }
    await this.#tell('dispatch_delayed', `${step}:delayed`, { attempt, reason, retry_at: retryAt.toISOString() });
    await this.#operator.pause(wait);
    return undefined;
  }
}
