import { ApplicationFailure, defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ActivityFailure,
  CancellationScope,
  condition,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  TimeoutFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { TaskEvent, TaskEventType } from '../../contracts/tasks/task-event.ts';
import {
  ATTEMPT_FAILED,
  type AttemptFailure,
  type Revocation,
  TASK_EXPIRED,
  type TaskInput,
} from '../../contracts/tasks/task-workflow.ts';
import { backoff } from '../../domain/backoff.ts';
import {
  taskEndLostEvent,
  taskQueuedEvent,
  taskRecoveredEvent,
  taskRedrivenEvent,
} from '../../domain/record/first-events.ts';
import { record, taskActivities } from '../activities.ts';
import { beginAnswer } from '../ending/answer.ts';
import { beginCallbacks } from '../ending/callback.ts';
import { isFailure, Journal } from '../journal.ts';
import { answeredSignal, revokeSignal, type TaskStateView, taskStateQuery, tellAgainSignal } from '../messages.ts';

const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);

/** Longest pause between two attempts, unless the attempt said itself when another may help. */
const LONGEST_PAUSE_MS = 600_000;

/** Step of the event that ends the task. */
const ENDING = 'ended';

/** How a task ends. */
type Outcome =
  | { kind: 'succeeded'; result: unknown }
  | { kind: 'failed'; error: AttemptFailure['error']; attempts: number }
  | { kind: 'revoked'; reason: 'revoked' | 'terminated' | 'expired'; by: string };

/**
 * One task, from its acceptance to its end:
 *
 * queued -> received -> (waits for its eta) -> attempt on a worker of its queue -> (retried after a pause) -> succeeded,
 * failed and dead-lettered, or revoked.
 *
 * The workflow itself ends as the task does: completed, or failed with the error of the task. @returns its result.
 */
export async function task(input: TaskInput): Promise<unknown> {
  const state: TaskStateView = { task_id: input.task_id, phase: 'received', attempt: 0 };
  setHandler(taskStateQuery, () => state);
  setHandler(answeredSignal, () => {
    input.answered = true;
  });
  const revocation = listenForRevocation();
  return CancellationScope.nonCancellable(() => run(input, state, revocation));
}

async function run(input: TaskInput, state: TaskStateView, revocation: RevocationListener): Promise<unknown> {
  const tell = await begin(input);
  if (!tell) return null;
  const outcome = await work(input, tell, state, revocation);
  state.phase = 'ended';
  await end(input, tell, outcome);
  switch (outcome.kind) {
    case 'succeeded':
      return outcome.result;
    case 'revoked':
      throw failed('TaskRevokedError', outcome.reason);
    case 'failed':
      throw failed(outcome.error.type, outcome.error.message);
    default:
      return outcome satisfies never;
  }
}

/** Benign: it is the task that failed, which the record tells, and not the bus. */
function failed(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, category: 'BENIGN' });
}

/** Tells the record, those who are called back and the senders of messages how the task ended. */
async function end(input: TaskInput, tell: Tell, outcome: Outcome): Promise<void> {
  switch (outcome.kind) {
    case 'succeeded':
      await tell('task_succeeded', ENDING, { result: outcome.result });
      close('SUCCESS', 'succeeded');
      break;
    case 'revoked': {
      const { reason, by } = outcome;
      await tell('task_revoked', ENDING, { reason, by });
      close('REVOKED', `${reason} by ${by}`);
      break;
    }
    case 'failed': {
      const { error, attempts } = outcome;
      const reason = `${error.type}: ${error.message}`;
      await tell('task_failed', ENDING, { error });
      await tell('task_dead_lettered', 'dead_lettered', { reason, attempts });
      close('FAILURE', reason);
      break;
    }
    default:
      outcome satisfies never;
  }
  const ending = tell.prefix + ENDING;
  await beginCallbacks({ subject: streamOf(input), ending }, input.callback !== undefined);
  if (input.answered) await beginAnswer({ task_id: input.task_id, ending });
}

function streamOf({ task_id }: TaskInput): string {
  return `task:${task_id}`;
}

function close(status: string, details: string): void {
  upsertSearchAttributes([{ key: STATUS, value: status }]);
  setCurrentDetails(details);
}

/** Works at the task until an attempt succeeds, none will help, or it is revoked. */
async function work(
  input: TaskInput,
  tell: Tell,
  state: TaskStateView,
  revocation: RevocationListener,
): Promise<Outcome> {
  const { policy, eta } = input;
  state.phase = 'waiting';
  if (eta !== null) await revocation.pause(Date.parse(eta) - Date.now());
  let retries = 0;
  let progress: unknown;
  for (let attempt = 1; ; attempt++) {
    if (revocation.told) return { kind: 'revoked', ...revocation.told };
    state.phase = 'working';
    state.attempt = attempt;
    const outcome = await attemptOnce(input, tell, attempt, progress, revocation);
    if ('kind' in outcome) return outcome;
    const { error, retry } = outcome;
    if (!retry || (retry.counted && retries >= policy.max_retries)) return { kind: 'failed', error, attempts: attempt };
    const wait = retry.after_ms ?? backoff(retries, policy.retry_delay_ms, LONGEST_PAUSE_MS, Math.random());
    if (retry.counted) retries += 1;
    progress = outcome.progress;
    const retry_at = new Date(Date.now() + wait).toISOString();
    await tell('task_retried', `attempt:${attempt}:retried`, { attempt, counted: retry.counted, error, retry_at });
    state.phase = 'waiting';
    await revocation.pause(wait);
  }
}

/** One attempt on a worker of the queue. A task that expires is not begun after that; one that has begun goes on. */
async function attemptOnce(
  { task_id, name, args, kwargs, queue, policy, expires }: TaskInput,
  tell: Tell,
  attempt: number,
  progress: unknown,
  revocation: RevocationListener,
): Promise<Outcome | AttemptFailure> {
  const begin_by = attempt > 1 ? null : expires;
  const beginWithin = begin_by === null ? undefined : Date.parse(begin_by) - Date.now();
  const expired: Outcome = { kind: 'revoked', reason: 'expired', by: 'expires' };
  if (beginWithin !== undefined && beginWithin <= 0) return expired;
  const { runTask } = taskActivities(queue, policy.hard_limit_ms, beginWithin);
  const scope = new CancellationScope();
  const stopListening = revocation.listen(() => scope.cancel());
  try {
    const { soft_limit_ms, hard_limit_ms } = policy;
    const request = {
      ...{ task_id, name, args, kwargs, attempt, step: tell.prefix, soft_limit_ms, hard_limit_ms, progress },
      ...(begin_by === null ? {} : { begin_by }),
    };
    const { result } = await scope.run(() => tell.withWholeStream(() => runTask(request)));
    return { kind: 'succeeded', result };
  } catch (error) {
    if (isCancellation(error) && revocation.told) return { kind: 'revoked', ...revocation.told };
    const cause = error instanceof ActivityFailure ? error.cause : error;
    if (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START') return expired;
    if (cause instanceof ApplicationFailure && cause.type === TASK_EXPIRED) return expired;
    return failureOf(cause);
  } finally {
    stopListening();
  }
}

function failureOf(cause: unknown): AttemptFailure {
  if (cause instanceof ApplicationFailure && cause.type === ATTEMPT_FAILED) return cause.details?.[0] as AttemptFailure;
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  return { error: { type: name, message, traceback: null }, retry: null };
}

type DataOf<Type extends TaskEventType> = Extract<TaskEvent, { type: Type }>['data'];

/** Tells an event of the task to the record; `step` names the point of the workflow, so that telling it again is telling it once. */
interface Tell {
  <Type extends TaskEventType>(type: Type, step: string, data: DataOf<Type>): Promise<void>;
  /** Sets the steps of a redrive apart from those before it. */
  prefix: string;
  /** Runs an activity that appends to the stream of the task; where the stream has lost events, they are told again first. */
  withWholeStream<Result>(run: () => Promise<Result>): Promise<Result>;
}

/**
 * Tells that the task begins, or begins again; the teller of its further events. Undefined where another redrive was first, or the
 * task was made before, which Temporal has forgotten: then there is nothing to do.
 */
async function begin(input: TaskInput): Promise<Tell | undefined> {
  const { redrive, callback, recovery } = input;
  if (callback && !redrive) await record.keepCallbackUrl({ subject: streamOf(input), url: callback.url });
  const journal = openTaskJournal(input);
  const first = redrive ? taskRedrivenEvent(input, redrive) : taskQueuedEvent(input);
  const { stands } = await journal.tell(first);
  if (!stands) return undefined;
  if (recovery) await journal.tell(taskRecoveredEvent(recovery));
  const prefix = redrive ? `${first.dedupe_key}:` : '';
  const tell: Tell = Object.assign(
    async <Type extends TaskEventType>(type: Type, step: string, data: DataOf<Type>) => {
      const occurred_at = new Date().toISOString();
      await journal.tell({ type, data, occurred_at, dedupe_key: prefix + step } as TaskEvent);
    },
    {
      prefix,
      withWholeStream: async <Result>(run: () => Promise<Result>) => {
        for (;;) {
          try {
            return await run();
          } catch (error) {
            if (!isFailure(error, 'RecordSetBack')) throw error;
            await journal.tellAgain();
          }
        }
      },
    },
  );
  await tell('task_received', 'received', {});
  return tell;
}

/** Opens the journal of a task; a signal has it told again. */
function openTaskJournal(input: TaskInput) {
  const { task_id, workflow_id, created_at } = input;
  const recovered = (step: string) => ({
    occurred_at: new Date().toISOString(),
    dedupe_key: `recovered:${workflowInfo().runId}:${step}`,
  });
  const journal = new Journal<TaskEvent, Awaited<ReturnType<typeof record.appendTaskEvent>>>({
    owner: { workflow_id, created_at },
    append: (event, { owner, ...expected }) =>
      // Another task may have had the id, which Temporal has forgotten; the answer to the first event says so.
      record.appendTaskEvent({ task_id, event, ...expected, ...(event.dedupe_key === 'queued' ? {} : { owner }) }),
    first: taskQueuedEvent(input),
    bridgeTo: ({ type, dedupe_key }) =>
      type === 'task_redriven' ? taskEndLostEvent({ by: 'workflow', ...recovered(`before:${dedupe_key}`) }) : undefined,
    marker: (lostAfter) => ({
      type: 'task_recovered',
      data: {
        reason: 'record_set_back',
        by: 'workflow',
        detail: `the record had lost events before its number ${lostAfter + 1}`,
      },
      ...recovered(`${lostAfter}`),
    }),
  });
  setHandler(tellAgainSignal, async () => {
    await journal.tellAgain().catch((error: unknown) => log.warn('the events could not be told again', { error }));
  });
  return journal;
}

/** Whether and by whom the task is revoked. */
interface RevocationListener {
  readonly told: Revocation | undefined;
  /** Waits the given milliseconds, but no longer than until the task is revoked. */
  pause(ms: number): Promise<void>;
  /** Calls back once the task is revoked, at once where it is; until the returned function is called. */
  listen(callback: () => void): () => void;
}

/** Listens to our signal and to `temporal workflow cancel`, which means the same. */
function listenForRevocation(): RevocationListener {
  let told: Revocation | undefined;
  const callbacks = new Set<() => void>();
  const revoke = (revocation: Revocation) => {
    if (told) return;
    told = revocation;
    for (const callback of callbacks) callback();
  };
  setHandler(revokeSignal, ({ by = 'operator', reason = 'revoked' } = {}) => revoke({ by, reason }));
  CancellationScope.current().cancelRequested.catch(() => revoke({ by: 'temporal', reason: 'terminated' }));
  return {
    get told() {
      return told;
    },
    async pause(ms) {
      if (ms > 0) await condition(() => told !== undefined, ms);
    },
    listen(callback) {
      callbacks.add(callback);
      if (told) callback();
      return () => callbacks.delete(callback);
    },
  };
}
