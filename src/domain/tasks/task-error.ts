/** An error of a task as callers see it. Celery shows it as TYPE('MESSAGE'). */
interface TaskErrorOptions {
  /** Name of the exception as a Python client sees it: an identifier, such as ValueError. Default: the name of the class. */
  type?: string;
  /** One line for the caller, without secrets. */
  message: string;
  cause?: unknown;
}

/**
 * Throw this if the task can never succeed with these arguments: it ends as FAILURE at once. A text is the message.
 */
export class PermanentTaskError extends Error {
  override readonly name = 'PermanentTaskError';
  readonly type: string;

  constructor(said: string | TaskErrorOptions) {
    const { type, message, cause } = optionsOf(said);
    super(message, { cause });
    this.type = type ?? 'PermanentTaskError';
  }
}

/**
 * Throw this if the task may succeed later: it is retried after a growing pause, or after `retryAfterMs`, until its retries are
 * used up. Every other error has the same effect, under its own name. A text is the message.
 */
export class RetryableTaskError extends Error {
  override readonly name = 'RetryableTaskError';
  readonly type: string;
  /** Pause before the next attempt, in milliseconds: 0 to a year. The growing pause for anything else, and for undefined. */
  readonly retryAfterMs: number | undefined;
  /** Whether the pause uses up a retry; false if the task only waits for its turn (a quota). */
  readonly counted: boolean;

  constructor(said: string | (TaskErrorOptions & { retryAfterMs?: number; counted?: boolean })) {
    const { type, message, cause, retryAfterMs, counted = true } = optionsOf(said);
    super(message, { cause });
    this.type = type ?? 'RetryableTaskError';
    this.retryAfterMs = retryAfterMs;
    this.counted = counted;
  }
}

function optionsOf<Options extends TaskErrorOptions>(said: string | Options): Partial<Options> {
  return typeof said === 'string' ? ({ message: said } as Partial<Options>) : said;
}
