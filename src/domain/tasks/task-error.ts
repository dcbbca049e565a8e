/** What a caller is told of an error of a task, as Celery shows exceptions: `repr` is TYPE('MESSAGE'). */
interface TaskErrorOptions {
  /** Name of the exception as a Python client sees it: an identifier, such as ValueError. */
  type: string;
  /** One line for the caller, without secrets. */
  message: string;
  cause?: unknown;
}

/** Thrown by a task that will never succeed as it was asked: it ends as FAILURE at once. */
export class PermanentTaskError extends Error {
  override readonly name = 'PermanentTaskError';
  readonly type: string;

  constructor({ type, message, cause }: TaskErrorOptions) {
    super(message, { cause });
    this.type = type;
  }
}

/**
 * Thrown by a task that may succeed later: it is tried again after a pause that grows, or after the one given, until its
 * retries are used up. Every other error counts as one of these, under its own name.
 */
export class RetryableTaskError extends Error {
  override readonly name = 'RetryableTaskError';
  readonly type: string;
  /** Pause before the next try, milliseconds; undefined for the growing one. */
  readonly retryAfterMs: number | undefined;
  /** False where it only waits for its turn (a quota): the pause uses up no retry. */
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
