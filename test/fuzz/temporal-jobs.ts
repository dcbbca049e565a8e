import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
  TemporalFailure,
  TimeoutFailure,
} from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { coresdk, temporal } from '@temporalio/proto';

export type Job = coresdk.workflow_activation.IWorkflowActivationJob;
export type Command = coresdk.workflow_commands.IWorkflowCommand;
export type Schedule = coresdk.workflow_commands.IScheduleActivity;
export type Payload = temporal.api.common.v1.IPayload;

export const toPayload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) as Payload;
export const fromPayload = (payload: Payload): unknown => defaultPayloadConverter.fromPayload(payload as never);
const toFailure = (error: unknown) => defaultFailureConverter.errorToFailure(error, defaultPayloadConverter) as never;
/** The error that a failure stands for. */
export const errorOf = (failure: temporal.api.failure.v1.IFailure) =>
  defaultFailureConverter.failureToError(failure as never, defaultPayloadConverter);
export const msOf = (duration: unknown) => tsToMs(duration as never);

/** As core hands jobs to workflow code: the start, what concerns randomness, signals, and then the rest as it came. */
export function inOrder(jobs: Job[]): Job[] {
  const rank = (job: Job) => (job.initializeWorkflow ? 0 : job.updateRandomSeed ? 1 : job.signalWorkflow ? 2 : 3);
  return jobs.toSorted((a, b) => rank(a) - rank(b));
}

/** What of a command a replay must repeat: what core compares with the history. */
export function signatureOf(command: Command): string {
  const [kind, value] = Object.entries(command).find(([name, value]) => value && name !== 'userMetadata') ?? [
    'none',
    {},
  ];
  const { seq = '', activityType = '' } = (value ?? {}) as { seq?: number; activityType?: string };
  return `${kind}:${seq}:${activityType}`;
}

export function completed(seq: number, result: unknown, isLocal: boolean): Job {
  return { resolveActivity: { seq, isLocal, result: { completed: { result: toPayload(result) } } } };
}

export function cancelled(seq: number, activityType: string): Job {
  const failure = new ActivityFailure(
    'activity cancelled',
    activityType,
    `${seq}`,
    'CANCEL_REQUESTED',
    'worker',
    new CancelledFailure('cancelled'),
  );
  return { resolveActivity: { seq, result: { cancelled: { failure: toFailure(failure) } } } };
}

export function failureOf(activityType: string, seq: number, error: unknown): { failure: never } {
  const cause = error instanceof TemporalFailure ? error : ApplicationFailure.fromError(error as Error);
  const failure = new ActivityFailure(
    'activity failed',
    activityType,
    `${seq}`,
    'MAXIMUM_ATTEMPTS_REACHED',
    'worker',
    cause,
  );
  return { failure: toFailure(failure) };
}

/** How an attempt ended that took too long, or whose worker is gone. */
export function timeOutFailure(): TimeoutFailure {
  return new TimeoutFailure('activity timed out', undefined, 'START_TO_CLOSE');
}

/** The pause until the next attempt in milliseconds; undefined where there is none. */
export function retryPause({ retryPolicy }: Schedule, attempt: number, error: unknown): number | undefined {
  const failure = error instanceof ApplicationFailure ? error : undefined;
  if (failure?.nonRetryable) return undefined;
  const maximum = retryPolicy?.maximumAttempts ?? 0;
  if (maximum > 0 && attempt >= maximum) return undefined;
  if (failure?.nextRetryDelay !== undefined && failure.nextRetryDelay !== null) return Number(failure.nextRetryDelay);
  const first = retryPolicy?.initialInterval ? msOf(retryPolicy.initialInterval) : 1_000;
  const longest = retryPolicy?.maximumInterval ? msOf(retryPolicy.maximumInterval) : 100 * first;
  return Math.min(first * (retryPolicy?.backoffCoefficient || 2) ** (attempt - 1), longest);
}
