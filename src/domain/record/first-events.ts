import type { BuildInput, Recovery, Reopening, Resumption } from '../../contracts/builds/build-workflow.ts';
import type { BuildEvent } from '../../contracts/builds/event.ts';
import type { KnownRun } from '../../contracts/github/github.ts';
import type { TaskEvent } from '../../contracts/tasks/task-event.ts';
import type { Redrive, TaskInput } from '../../contracts/tasks/task-workflow.ts';

/*
 * The events that start a build or a task, or start it again. The API records them as soon as it has accepted a request, so that a
 * GET shows it. The workflow records them again, in case the database was down. Both must say the same.
 */

/** Returns the first event of a build. */
export function buildQueuedEvent(input: BuildInput): Extract<BuildEvent, { type: 'build_queued' }> {
  const { created_at, callback, ...rest } = input;
  const { policy: _, resume: _resume, reopen: _reopen, recovery: _recovery, ...known } = rest;
  const data = { ...known, ...(callback ? { callback_origin: callback.origin } : {}) };
  return { type: 'build_queued', data, occurred_at: created_at, dedupe_key: 'queued' };
}

/** Returns the event that retries a failed build. */
export function buildRetriedEvent(resumption: Resumption): Extract<BuildEvent, { type: 'build_retried' }> {
  const { retry, mode, by, retry_id, at } = resumption;
  return {
    type: 'build_retried',
    data: { retry, mode, by, retry_id },
    occurred_at: at,
    dedupe_key: `retry:${retry}`,
  };
}

/**
 * Returns the event that reopens an ended build whose run GitHub ran again, if nobody knows what GitHub said. The attempt is the
 * recorded one, or the one after the attempt that had ended.
 */
export function buildReopenedEvent(
  { run, delivery_id, recorded_attempt }: Reopening,
  occurred_at: string,
): Extract<BuildEvent, { type: 'build_reopened' }> {
  const { run_id: workflow_run_id } = run;
  const run_attempt = recorded_attempt ?? run.run_attempt + 1;
  return {
    type: 'build_reopened',
    data: {
      workflow_run_id,
      run_attempt,
      run_status: 'completed',
      learned_from: 'reconcile',
      request_id: null,
      delivery_id,
    },
    occurred_at,
    dedupe_key: `reopened:${workflow_run_id}:${run_attempt}`,
  };
}

/** Returns the event that says that a workflow replaces a lost one. */
export function buildRecoveredEvent(recovery: Recovery): Extract<BuildEvent, { type: 'build_recovered' }> {
  return { type: 'build_recovered', ...recoveredBy(recovery) };
}

/** Returns the same event for a task. */
export function taskRecoveredEvent(recovery: Recovery): Extract<TaskEvent, { type: 'task_recovered' }> {
  return { type: 'task_recovered', ...recoveredBy(recovery) };
}

function recoveredBy({ id, at, detail }: Recovery) {
  return {
    data: { reason: 'workflow_lost', by: 'reconciliation', detail },
    occurred_at: at,
    dedupe_key: `recovered:${id}`,
  } as const;
}

type Recovered<Type extends 'build_recovered' | 'task_recovered'> = Pick<
  Extract<BuildEvent | TaskEvent, { type: Type }>,
  'occurred_at' | 'dedupe_key'
> & { by: 'workflow' | 'reconciliation' };

/** Returns the event that says that the record lost how a build ended before it was started again. @param run its run at that time. */
export function buildEndLostEvent(
  run: KnownRun | null,
  { by, ...at }: Recovered<'build_recovered'>,
): Extract<BuildEvent, { type: 'build_recovered' }> {
  const earlier_run = run && { workflow_run_id: run.run_id, run_url: run.run_url, run_attempt: run.run_attempt };
  const detail = 'the record had lost how the build ended before';
  return { type: 'build_recovered', data: { reason: 'record_set_back', by, detail, earlier_run }, ...at };
}

/** Returns the same event for a task. */
export function taskEndLostEvent({
  by,
  ...at
}: Recovered<'task_recovered'>): Extract<TaskEvent, { type: 'task_recovered' }> {
  const detail = 'the record had lost how the task ended before';
  return { type: 'task_recovered', data: { reason: 'record_set_back', by, detail, ended_before: true }, ...at };
}

/** Returns the first event of a task. */
export function taskQueuedEvent(input: TaskInput): Extract<TaskEvent, { type: 'task_queued' }> {
  const { created_at, policy: _, redrive: _redrive, answered: _answered, recovery: _recovery, ...given } = input;
  // Its type determines what runs it.
  const { callback, runtime: _runtime, unregistered: _unregistered, continued: _continued, ...known } = given;
  const data = { ...known, callback_origin: callback?.origin ?? null };
  return { type: 'task_queued', data, occurred_at: created_at, dedupe_key: 'queued' };
}

/** The properties of a task that a redrive may change. */
export type TaskTerms = Pick<TaskInput, 'args' | 'kwargs' | 'soft_limit_ms' | 'hard_limit_ms'>;

/** Returns the event that redrives a task after its end. */
export function taskRedrivenEvent(
  { args, kwargs, soft_limit_ms, hard_limit_ms }: TaskTerms,
  { redrive, by, redrive_id, at }: Redrive,
): Extract<TaskEvent, { type: 'task_redriven' }> {
  const data = { redrive, by, redrive_id, args, kwargs, soft_limit_ms, hard_limit_ms };
  return { type: 'task_redriven', data, occurred_at: at, dedupe_key: `redrive:${redrive}` };
}
