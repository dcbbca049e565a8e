import { ApplicationFailure } from '@temporalio/common';
import { CancellationScope, isCancellation, patched, TimeoutFailure } from '@temporalio/workflow';
import {
  ATTEMPT_FAILED,
  type AttemptFailure,
  TASK_EXPIRED,
  type TaskInput,
} from '../../contracts/tasks/task-workflow.ts';
import { taskActivities } from '../activities.ts';
import { causeOf, isFailure } from '../journal.ts';
import type { TaskOutcome } from '../ports/record.ts';
import type { TaskPort, Worked } from '../ports/tasks.ts';
import type { RevocationListener } from './revocation.ts';
import type { RecordedEnd, TaskRecord } from './task-record.ts';

export type Revoked = Extract<TaskOutcome, { kind: 'revoked' }>;

type Request = Parameters<TaskPort['runTask']>[0];

/** The patch since which a task that has started does not expire, however long its next worker takes to come. */
export const STARTED_IN_TIME = 'started-in-time';

/** The end of a task that has not started in time. */
export const EXPIRED: Revoked = { kind: 'revoked', reason: 'expired', by: 'expires' };

/** Makes one attempt on a worker of the queue. An expired task is not started any more; one that has started goes on. */
export async function attemptOnce(
  { task_id, name, type_version, args, kwargs, queue, policy, expires }: TaskInput,
  taskRecord: TaskRecord,
  attempt: number,
  progress: unknown,
  revocation: RevocationListener,
): Promise<RecordedEnd | Revoked | AttemptFailure> {
  const begin_by = attempt > 1 ? null : expires;
  const beginWithin = begin_by === null ? undefined : Date.parse(begin_by) - Date.now();
  if (beginWithin !== undefined && beginWithin <= 0) return EXPIRED;
  let { runTask } = taskActivities(queue, policy.hard_limit_ms, beginWithin);
  const { soft_limit_ms, hard_limit_ms } = policy;
  let terms: Pick<Request, 'begin_by' | 'again' | 'progress'> = {
    progress,
    ...(begin_by === null ? {} : { begin_by }),
  };
  const request = {
    ...{ task_id, name, args, kwargs, attempt, step: taskRecord.prefix, soft_limit_ms, hard_limit_ms },
    ...(type_version === undefined ? {} : { type_version }),
  };
  const scope = new CancellationScope();
  const stopListening = revocation.listen(() => scope.cancel());
  const runOnce = () => {
    const { ownRecord: own_record } = taskRecord;
    return runTask({ ...request, ...terms, ...(own_record && { own_record }) });
  };
  let worked: Worked | undefined;
  try {
    while (!worked) {
      try {
        worked = await scope.run(runOnce);
      } catch (error) {
        const late = foundNoWorker(error);
        if (isFailure(error, 'RecordSetBack')) {
          await taskRecord.tellAgain();
        } else if (late && patched(STARTED_IN_TIME) && (await taskRecord.hasStarted(attempt))) {
          // Its worker has left it. Temporal's limit on waiting restarts then, but the task has begun in time.
          ({ runTask } = taskActivities(queue, policy.hard_limit_ms, undefined));
          terms = { again: true, progress: progressOf(late) ?? progress };
        } else throw error;
      }
    }
  } catch (error) {
    if (isCancellation(error) && revocation.revocation) return { kind: 'revoked', ...revocation.revocation };
    if (taskRecord.isLean && isFailure(error, 'ForeignStream')) throw error;
    const cause = causeOf(error);
    if (foundNoWorker(error)) return EXPIRED;
    if (cause instanceof ApplicationFailure && cause.type === TASK_EXPIRED) return EXPIRED;
    return failureOf(cause);
  } finally {
    stopListening();
  }
  return 'has_ended' in worked ? endOf(taskRecord) : taskRecord.recordSuccess(worked);
}

async function endOf(taskRecord: TaskRecord): Promise<RecordedEnd> {
  const end = await taskRecord.findEnd();
  if (!end) throw ApplicationFailure.nonRetryable('the record does not say how the task has ended', 'EndUnknown');
  return end;
}

/** Returns the timeout of an attempt that no worker took in time; undefined for other errors. */
export function foundNoWorker(error: unknown): TimeoutFailure | undefined {
  const cause = causeOf(error);
  return cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START' ? cause : undefined;
}

/** Returns the last progress that a lost worker reported. */
function progressOf({ lastHeartbeatDetails }: TimeoutFailure): unknown {
  return (lastHeartbeatDetails as { progress?: unknown } | undefined)?.progress;
}

/** Returns an attempt's failure as the workflow understands it. */
export function failureOf(cause: unknown): AttemptFailure {
  if (cause instanceof ApplicationFailure && cause.type === ATTEMPT_FAILED) return cause.details?.[0] as AttemptFailure;
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  return { error: { type: name, message, traceback: null }, retry: null };
}
