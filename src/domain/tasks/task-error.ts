/** An error of a task as callers see it. Celery shows it as TYPE('MESSAGE'). */
interface TaskErrorOptions {
  /** Name of the exception as a Python client sees it: an identifier, such as ValueError. */
  type: string;
  /** One line for the caller, without secrets. */
  message: string;
  cause?: unknown;
}

/** Throw this if the task can never succeed with these arguments: it ends as FAILURE at once. */
export class PermanentTaskError extends Error {
  override readonly name = 'PermanentTaskError';
  readonly type: string;

  constructor({ type, message, cause }: TaskErrorOptions) {
    super(message, { cause });
    this.type = type;
  }
}

/**
 * Throw this if the task may succeed later: it is retried after a growing pause, or after `retryAfterMs`, until its retries are
 * used up. Every other error has the same effect, under its own name.
 */
export class RetryableTaskError extends Error {
  override readonly name = 'RetryableTaskError';
  readonly type: string;
  /** Pause before the next attempt, in milliseconds; undefined for the growing pause. */
  readonly retryAfterMs: number | undefined;
  /** Whether the pause uses up a retry; false if the task only waits for its turn (a quota). */
  readonly counted: boolean;

  constructor({
    type,
    message,
    cause,
    retryAfterMs,
    counted = true,
  }: TaskErrorOptions & { retryAfterMs?: number; counted?: boolean }) {
    super(message, { cause });
    this.type = type;
    this.retryAfterMs = retryAfterMs;
    this.counted = counted;
  }
}
