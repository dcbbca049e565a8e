import { ApplicationFailure } from '@temporalio/common';
import { ActivityFailure, CancellationScope, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import {
  ATTEMPT_FAILED,
  type AttemptFailure,
  TASK_EXPIRED,
  type TaskInput,
} from '../../contracts/tasks/task-workflow.ts';
import { taskActivities } from '../activities.ts';
import { isFailure } from '../journal.ts';
import type { TaskOutcome } from '../ports/record.ts';
import type { Worked } from '../ports/tasks.ts';
import type { RevocationListener } from './revocation.ts';
import type { RecordedEnd, TaskRecord } from './task-record.ts';

export type Revoked = Extract<TaskOutcome, { kind: 'revoked' }>;

/** How a task ends that has not begun in time. */
export const EXPIRED: Revoked = { kind: 'revoked', reason: 'expired', by: 'expires' };

/** One attempt on a worker of the queue. A task that expires is not begun after that; one that has begun goes on. */
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
  const { runTask } = taskActivities(queue, policy.hard_limit_ms, beginWithin);
  const { soft_limit_ms, hard_limit_ms } = policy;
  const request = {
    ...{ task_id, name, args, kwargs, attempt, step: taskRecord.prefix, soft_limit_ms, hard_limit_ms, progress },
    ...(begin_by === null ? {} : { begin_by }),
    ...(type_version === undefined ? {} : { type_version }),
  };
  const scope = new CancellationScope();
  const stopListening = revocation.listen(() => scope.cancel());
  const runOnce = () => {
    const { ownRecord: own_record } = taskRecord;
    return runTask({ ...request, ...(own_record && { own_record }) });
  };
  let worked: Worked | undefined;
  try {
    while (!worked) {
      try {
        worked = await scope.run(runOnce);
      } catch (error) {
        if (!isFailure(error, 'RecordSetBack')) throw error;
        await taskRecord.tellAgain();
      }
    }
  } catch (error) {
    if (isCancellation(error) && revocation.revocation) return { kind: 'revoked', ...revocation.revocation };
    if (taskRecord.isLean && isFailure(error, 'ForeignStream')) throw error;
    const cause = error instanceof ActivityFailure ? error.cause : error;
    if (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START') return EXPIRED;
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

/** What the workflow takes an attempt's failure for. */
export function failureOf(cause: unknown): AttemptFailure {
  if (cause instanceof ApplicationFailure && cause.type === ATTEMPT_FAILED) return cause.details?.[0] as AttemptFailure;
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  return { error: { type: name, message, traceback: null }, retry: null };
}
