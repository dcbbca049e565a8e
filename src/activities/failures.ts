import { ApplicationFailure } from '@temporalio/common';
import { LIMITS } from '../contracts/budgets.ts';
import type { TaskError } from '../contracts/tasks/task-event.ts';
import { ATTEMPT_FAILED, type AttemptFailure, TASK_EXPIRED } from '../contracts/tasks/task-workflow.ts';
import { IllegalEvent } from '../domain/record/illegal-event.ts';
import { NotRecordable } from '../domain/record/not-recordable.ts';
import { ForeignStream, RecordSetBack } from '../domain/record/stream-fault.ts';
import { PermanentTaskError, RetryableTaskError } from '../domain/tasks/task-error.ts';
import { ForgeError } from '../integrations/forges/forge-error.ts';
import { type DatabaseFault, databaseFault } from '../store/database.ts';

/** Thrown by an activity that waits for something that has not happened yet. Temporal tries again after the pause. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
  readonly lookAgainAfterMs: number;
  constructor(message: string, lookAgainAfterMs: number) {
    super(message);
    this.lookAgainAfterMs = lookAgainAfterMs;
  }
}

/** Thrown by an attempt at a task that has to stop through no fault of its own. Another worker begins the task again at once. */
export class WorkInterrupted extends Error {
  override readonly name = 'WorkInterrupted';
}

/** A line of a stack trace that comes from the work, not from Node or Temporal's SDK. */
const OUR_FRAME = /^\s+at (?!.*(?:node:|[/\\]@temporalio[/\\]))/;

/** The longest pause that a task can ask for: a year. What is longer was meant as something else, such as a time. */
const LONGEST_ASKED_MS = 31_536_000_000;

/**
 * Returns an error of a task as its callers see it: in the form of Celery's exceptions. The code of a user throws anything, and its
 * errors have fields of any type.
 */
function taskErrorOf(error: unknown): TaskError {
  if (!(error instanceof Error)) return { type: 'Exception', message: cut(textOf(error)), traceback: null };
  const ours = error instanceof PermanentTaskError || error instanceof RetryableTaskError;
  const type = cut(textOf((ours && error.type) || error.name || 'Error'));
  const message = textOf(error.message);
  const frames = textOf(error.stack ?? '')
    .split('\n')
    .filter((line) => OUR_FRAME.test(line));
  const traceback = ['Traceback (most recent call last):', ...frames.reverse(), `${type}: ${message}`].join('\n');
  return { type, message: cut(message), traceback: `${traceback.slice(-LIMITS.tasks.tracebackCharacters)}\n` };
}

function textOf(said: unknown): string {
  if (typeof said !== 'object') return String(said);
  try {
    return JSON.stringify(said);
  } catch {
    return 'an object that is not JSON';
  }
}

function cut(message: string): string {
  return message.slice(0, LIMITS.tasks.errorCharacters);
}

/** Returns the pause that an error asks for; null if that is no pause. */
function askedPauseMs({ retryAfterMs: asked }: RetryableTaskError): number | null {
  return typeof asked === 'number' && asked >= 0 && asked <= LONGEST_ASKED_MS ? asked : null;
}

/**
 * Returns the failure of an attempt at a task. Temporal does not retry it: the workflow does, and records that. The details
 * say whether and when ({@link AttemptFailure}).
 */
export function attemptFailed(error: unknown, progress: unknown): ApplicationFailure {
  const { type, message, traceback } = taskErrorOf(error);
  const retry =
    error instanceof PermanentTaskError
      ? null
      : error instanceof RetryableTaskError
        ? { after_ms: askedPauseMs(error), counted: error.counted !== false }
        : { after_ms: null, counted: true };
  const failure: AttemptFailure = { error: { type, message, traceback }, retry, progress };
  // Benign: the task failed, not the worker.
  return ApplicationFailure.create({
    type: ATTEMPT_FAILED,
    message: `${type}: ${message}`,
    nonRetryable: true,
    details: [failure],
    category: 'BENIGN',
  });
}

/** Returns the failure of an attempt at a task that may no longer begin. */
export function expired(): ApplicationFailure {
  const message = 'the task expired before it began';
  return ApplicationFailure.create({ type: TASK_EXPIRED, message, nonRetryable: true, category: 'BENIGN' });
}

/**
 * Turns errors into Temporal failures, all in one place. A failure says what to do next: never retry, retry after a time,
 * or soon (at the pace of the retry policy).
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof RecordSetBack) {
    const { name: type, message } = error;
    // Benign: the workflow records the lost events again.
    return ApplicationFailure.create({ type, message, nonRetryable: true, category: 'BENIGN' });
  }
  if (error instanceof ForeignStream) return ApplicationFailure.nonRetryable(error.message, error.name);
  if (error instanceof NotRecordable) return ApplicationFailure.nonRetryable(error.message, error.name);
  if (error instanceof IllegalEvent) return ApplicationFailure.nonRetryable(error.message, error.name);
  if (error instanceof NotYet) {
    const { name, message, lookAgainAfterMs } = error;
    // Benign: Temporal neither logs waiting nor counts it as a failure.
    return ApplicationFailure.create({ type: name, message, nextRetryDelay: lookAgainAfterMs, category: 'BENIGN' });
  }
  if (error instanceof ForgeError) {
    const { name, message, retryAfterMs } = error;
    return ApplicationFailure.create({
      type: name,
      message,
      ...(retryAfterMs ? { nextRetryDelay: retryAfterMs } : {}),
    });
  }
  if (error instanceof WorkInterrupted) {
    return ApplicationFailure.create({ type: error.name, message: error.message, category: 'BENIGN' });
  }
  const fault = databaseFault(error);
  if (fault) {
    return databaseFailure(fault);
  }
  return error;
}

function databaseFailure({ kind, store, message: said }: DatabaseFault): ApplicationFailure {
  const message = `${store}: ${said}`;
  switch (kind) {
    // The Idempotency-Key belongs to another build, and retrying does not change that.
    case 'conflict':
      return ApplicationFailure.nonRetryable(message, 'Conflict');
    case 'values':
      return ApplicationFailure.nonRetryable(message, 'NotRecordable');
    case 'away':
    case 'fault':
      return ApplicationFailure.create({ type: 'DatabaseError', message });
    default:
      return kind satisfies never;
  }
}
