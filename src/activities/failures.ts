import { ApplicationFailure } from '@temporalio/common';
import { IllegalEvent } from '../domain/illegal-event.ts';
import { GitHubError } from '../integrations/github.ts';
import { databaseFault } from '../store/database.ts';

/** Thrown by an activity that waits: nothing has happened yet, look again after the pause. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
  readonly lookAgainAfterMs: number;
  constructor(message: string, lookAgainAfterMs: number) {
    super(message);
    this.lookAgainAfterMs = lookAgainAfterMs;
  }
}

/**
 * The one place where errors become Temporal failures, which say what to do next: never again, after a time, or soon
 * (the retry policy's pace).
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof IllegalEvent) return ApplicationFailure.nonRetryable(error.message, error.name);
  if (error instanceof NotYet) {
    const { name, message, lookAgainAfterMs } = error;
    // Benign: waiting is no failure, so it is neither logged nor counted as one.
    return ApplicationFailure.create({ type: name, message, nextRetryDelay: lookAgainAfterMs, category: 'BENIGN' });
  }
  if (error instanceof GitHubError) {
    const { name, message, retryAfterMs } = error;
    return ApplicationFailure.create({
      type: name,
      message,
      ...(retryAfterMs ? { nextRetryDelay: retryAfterMs } : {}),
    });
  }
  const fault = databaseFault(error);
  if (fault) {
    const message = `Postgres: ${fault.message}`;
    // A conflict is an Idempotency-Key that names another build, which retrying does not change.
    return fault.kind === 'conflict'
      ? ApplicationFailure.nonRetryable(message, 'Conflict')
      : ApplicationFailure.create({ type: 'DatabaseError', message });
  }
  return error;
}
