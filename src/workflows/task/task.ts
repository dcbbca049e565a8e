import { ApplicationFailure, defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  CancellationScope,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { type Continued, ENDED, LED_ELSEWHERE, type TaskInput } from '../../contracts/tasks/task-workflow.ts';
import { backoff, possiblePause } from '../../domain/backoff.ts';
import { record } from '../activities.ts';
import { beginAnswer } from '../ending/answer.ts';
import { beginCallbacks, beginCallbacksTo } from '../ending/callback.ts';
import { causeOf, isFailure } from '../journal.ts';
import { answeredSignal, type TaskStateView, taskStateQuery } from '../messages.ts';
import type { TaskOutcome } from '../ports/record.ts';
import { attemptOnce } from './attempt.ts';
import { awaitType } from './await-type.ts';
import { continueInNextRun, isLongRun } from './continue.ts';
import { PythonAttempts } from './python-attempts.ts';
import { listenForRevocation, type RevocationListener } from './revocation.ts';
import { LedElsewhere, type RecordedEnd, reasonOf, TaskRecord } from './task-record.ts';

const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);

/** Longest pause between two attempts, unless the attempt itself said when another may help. */
const LONGEST_PAUSE_MS = 600_000;

/** Where the first run of a workflow begins. */
const BEGINNING = { attempt: 1, retries: 0 } as const;

/**
 * Leads one task from its acceptance to its end:
 *
 * queued -> (waits for its eta) -> attempt on a worker of its queue -> (retried after a pause) -> succeeded, failed and
 * dead-lettered, or revoked.
 *
 * An attempt itself records that it received and started the task, and that it succeeded. The workflow records the rest. Attempts on
 * Python workers record nothing themselves. The workflow ends as the task does: completed, or failed with the error of the task.
 * @returns its result.
 */
export function taskRun(input: TaskInput): Promise<unknown> {
  return lead(input, true);
}

/** Does the same for tasks that started under an earlier version: in the oldest, only the workflow recorded. */
export function task(input: TaskInput): Promise<unknown> {
  return lead(input, patched('attempt-records-success'));
}

function lead(input: TaskInput, isLean: boolean): Promise<unknown> {
  const state: TaskStateView = { task_id: input.task_id, phase: 'received', attempt: 0 };
  setHandler(taskStateQuery, () => state);
  setHandler(answeredSignal, () => {
    input.answered = true;
  });
  const revocation = listenForRevocation();
  return CancellationScope.nonCancellable(() => run(input, isLean, state, revocation));
}

async function run(
  input: TaskInput,
  isLean: boolean,
  state: TaskStateView,
  revocation: RevocationListener,
): Promise<unknown> {
  if (input.callback && !input.redrive && !input.continued) {
    await record.keepCallbackUrl({ subject: subjectOf(input), url: input.callback.url });
  }
  const taskRecord = new TaskRecord(input, isLean);
  try {
    if (!isLean || input.runtime === 'python' || hasMoreToSay(input)) await taskRecord.begin();
    const end = await work(input, taskRecord, state, revocation).catch((error: unknown) =>
      endUnrecorded(error, taskRecord, state.attempt),
    );
    state.phase = 'ended';
    if (!isQuiet(input, end)) await close(input, end, isLean);
    await taskRecord.finish();
    return resultOf(end.outcome);
  } catch (error) {
    const isLedElsewhere = error instanceof LedElsewhere || (isLean && isFailure(error, 'ForeignStream'));
    if (!isLedElsewhere) throw error;
    // A completed workflow means that the task succeeded, unless it says this.
    if (isLean) upsertSearchAttributes([{ key: STATUS, value: LED_ELSEWHERE }]);
    return null;
  }
}

/** Says whether the workflow has more to record than the acceptance of the task, before an attempt starts. */
function hasMoreToSay({ redrive, recovery, eta, unregistered }: TaskInput): boolean {
  return (
    unregistered !== undefined ||
    redrive !== undefined ||
    recovery !== undefined ||
    (eta !== null && Date.parse(eta) > Date.now())
  );
}

function subjectOf({ task_id }: TaskInput): string {
  return `task:${task_id}`;
}

function resultOf(outcome: TaskOutcome): unknown {
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

/** Returns a benign failure: the task failed, which the record says, and not Hapax. */
function failed(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, category: 'BENIGN' });
}

/** Makes attempts until one succeeds, none will help, or the task is revoked. */
async function work(
  input: TaskInput,
  taskRecord: TaskRecord,
  state: TaskStateView,
  revocation: RevocationListener,
): Promise<RecordedEnd> {
  const { eta } = input;
  state.phase = 'waiting';
  if (eta !== null) await revocation.pause(Date.parse(eta) - Date.now());
  const gone = input.unregistered && (await awaitType(input, revocation));
  if (gone) return endAs(taskRecord, gone);
  const python = input.runtime === 'python' ? new PythonAttempts(input, taskRecord, revocation) : undefined;
  // Celery itself counts the retries of its tasks.
  const maxRetries = python ? Infinity : input.policy.max_retries;
  const { attempt: first, ...before }: Pick<Continued, 'attempt' | 'retries' | 'progress'> =
    input.continued ?? BEGINNING;
  let { retries, progress } = before;
  for (let attempt = first; ; attempt++) {
    if (revocation.revocation) return endAs(taskRecord, { kind: 'revoked', ...revocation.revocation });
    state.phase = 'working';
    state.attempt = attempt;
    const attempted = await (python
      ? python.attempt(attempt)
      : attemptOnce(input, taskRecord, attempt, progress, revocation));
    if ('ending' in attempted) return attempted;
    if ('kind' in attempted) return endAs(taskRecord, attempted);
    const { error, retry } = attempted;
    if (!retry || (retry.counted && retries >= maxRetries)) {
      return endAs(taskRecord, { kind: 'failed', error, attempts: attempt });
    }
    const asked = retry.after_ms ?? backoff(retries, input.policy.retry_delay_ms, LONGEST_PAUSE_MS, Math.random());
    const wait = possiblePause(Number(asked));
    if (retry.counted) retries += 1;
    progress = attempted.progress;
    const retry_at = new Date(Date.now() + wait).toISOString();
    const ended = await taskRecord.recordUnlessEnded('task_retried', `attempt:${attempt}:retried`, {
      ...{ attempt, counted: retry.counted, error, retry_at },
      ...(retry.args && { args: retry.args, kwargs: retry.kwargs }),
    });
    if (ended) return ended;
    state.phase = 'waiting';
    await revocation.pause(wait);
    if (taskRecord.isLean && isLongRun(attempt + 1 - first)) {
      const next = { attempt: attempt + 1, retries, progress };
      const continued = () => ({ ...next, after_seq: taskRecord.lastSeq, ...(python && { python: python.continued }) });
      await continueInNextRun(input, continued, () => revocation.revocation !== undefined);
    }
  }
}

/** Records that the task ends without success. If the record knows another end, that one counts. */
async function endAs(
  taskRecord: TaskRecord,
  outcome: Exclude<TaskOutcome, { kind: 'succeeded' }>,
): Promise<RecordedEnd> {
  const end = { outcome, ending: taskRecord.prefix + ENDED };
  if (outcome.kind === 'revoked') {
    const { reason, by } = outcome;
    return (await taskRecord.recordUnlessEnded('task_revoked', ENDED, { reason, by })) ?? end;
  }
  const ended = await taskRecord.recordUnlessEnded('task_failed', ENDED, { error: outcome.error });
  if (ended) return ended;
  await taskRecord.recordDeadLetter(outcome);
  return end;
}

/** Ends a task that the record cannot hold an event of as failed, and says so. @throws other errors unchanged. */
function endUnrecorded(error: unknown, taskRecord: TaskRecord, attempts: number): Promise<RecordedEnd> {
  if (!isFailure(error, 'NotRecordable')) throw error;
  const { message } = causeOf(error) as ApplicationFailure;
  return endAs(taskRecord, { kind: 'failed', error: { type: 'NotRecordable', message, traceback: null }, attempts });
}

/** Says whether nobody needs to be told of the end. */
function isQuiet({ answered }: TaskInput, { outcome, targets }: RecordedEnd): boolean {
  return outcome.kind === 'succeeded' && targets?.length === 0 && !answered;
}

/** Tells operators, receivers of callbacks and senders of messages how the task ended. */
async function close(input: TaskInput, { outcome, ending, targets }: RecordedEnd, isLean: boolean): Promise<void> {
  switch (outcome.kind) {
    case 'succeeded':
      // The completed workflow says the same.
      if (!isLean) show('SUCCESS', 'succeeded');
      break;
    case 'revoked':
      show('REVOKED', `${outcome.reason} by ${outcome.by}`);
      break;
    case 'failed':
      show('FAILURE', reasonOf(outcome.error));
      break;
    default:
      outcome satisfies never;
  }
  const subject = subjectOf(input);
  if (!isLean) await beginCallbacks({ subject, ending }, input.callback !== undefined);
  else await beginCallbacksTo(targets ?? (await record.listCallbackTargets({ subject })), { subject, ending });
  if (input.answered) await beginAnswer({ task_id: input.task_id, ending });
}

function show(status: string, details: string): void {
  upsertSearchAttributes([{ key: STATUS, value: status }]);
  setCurrentDetails(details);
}
