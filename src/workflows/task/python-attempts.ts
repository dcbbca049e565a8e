import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  log,
  patched,
  setHandler,
} from '@temporalio/workflow';
import {
  type AttemptBegins,
  type AttemptBegun,
  type ProgressReport,
  PYTHON_PROTOCOL_VERSION,
  type PythonOutcome,
  type PythonRunRequest,
  type PythonWork,
  type Replacement,
} from '../../contracts/tasks/python-workflow.ts';
import type { AttemptFailure, PythonContinued, TaskInput } from '../../contracts/tasks/task-workflow.ts';
import { pythonActivities } from '../activities.ts';
import { causeOf } from '../journal.ts';
import { beginUpdate, progressSignal, replacementSignal } from '../messages.ts';
import { EXPIRED, failureOf, foundNoWorker, type Revoked, STARTED_IN_TIME } from './attempt.ts';
import type { RevocationListener } from './revocation.ts';
import type { RecordedEnd, TaskRecord } from './task-record.ts';

const version = PYTHON_PROTOCOL_VERSION;

/**
 * The attempts at a task on Python workers. They record nothing themselves. Before one runs anything, it asks the workflow to record
 * its start. It also reports progress, and its outcome is the result of its activity.
 */
export class PythonAttempts {
  readonly #input: TaskInput;
  readonly #record: TaskRecord;
  readonly #revocation: RevocationListener;
  #work: PythonWork;
  /** The attempt that runs; 0 for none. */
  #attempt = 0;
  #starts = 0;
  /** Part of the dedupe keys of starts. Set once the workflow hands an attempt out again, because Temporal then counts from 1 again. */
  #again = '';
  #reports = 0;
  /** The last report about what replaces the task. */
  #replacement: Replacement | undefined;

  constructor(input: TaskInput, record: TaskRecord, revocation: RevocationListener) {
    const { name, args, kwargs, queue, soft_limit_ms, hard_limit_ms, message, continued } = input;
    this.#input = input;
    this.#record = record;
    this.#revocation = revocation;
    this.#work = { name, args, kwargs, queue, retries: 0, soft_limit_ms, hard_limit_ms };
    if (message) Object.assign(this.#work, { headers: message.headers, embed: message.embed });
    if (continued?.python) {
      const { work, reports, replacement } = continued.python;
      this.#work = { args, kwargs, ...work };
      this.#reports = reports;
      this.#replacement = replacement;
    }
    // Somebody may type anything with Temporal's CLI, or nothing.
    setHandler(beginUpdate, (message) => CancellationScope.nonCancellable(() => this.#begin(message ?? {})));
    setHandler(replacementSignal, (replacement: Partial<Replacement> | null | undefined) => {
      const { nesting, becomes } = replacement ?? {};
      if (typeof nesting !== 'number' || !becomes)
        return log.warn('replacement says nothing of what replaces the task');
      this.#replacement = { nesting, becomes };
    });
    setHandler(progressSignal, (message) => CancellationScope.nonCancellable(() => this.#progress(message ?? {})));
  }

  /** What the next run of the workflow has to know. */
  get continued(): PythonContinued {
    const replacement = this.#replacement;
    const { args, kwargs, ...work } = this.#work;
    const changed = isEqual(this.#work, this.#input) ? {} : { args, kwargs };
    return { work: { ...work, ...changed }, reports: this.#reports, ...(replacement && { replacement }) };
  }

  /** Makes one attempt on a worker of the queue. An expired task is not started any more; one that has started goes on. */
  async attempt(attempt: number): Promise<RecordedEnd | Revoked | AttemptFailure> {
    const { task_id, priority, root_id, parent_id, message } = this.#input;
    const beginWithin = this.#beginBy(attempt) - Date.now();
    if (beginWithin <= 0) return EXPIRED;
    this.#attempt = attempt;
    this.#starts = 0;
    this.#again = '';
    const scope = new CancellationScope();
    const stopListening = this.#revocation.listen(() => scope.cancel());
    try {
      const reply_to = message?.reply_to ?? null;
      const request = {
        ...{ version, task_id, attempt, priority, root_id, parent_id, reply_to, ...this.#work },
        ...(message?.chord_counted && { chord_counted: message.chord_counted }),
        ...(message?.result_passed_on && { result_passed_on: message.result_passed_on }),
      };
      const within = Number.isFinite(beginWithin) ? beginWithin : undefined;
      return await this.#conclude(await scope.run(() => this.#run(request, within)));
    } catch (error) {
      const { revocation } = this.#revocation;
      if (isCancellation(error) && revocation) return { kind: 'revoked', ...revocation };
      if (foundNoWorker(error)) return EXPIRED;
      return failureOf(causeOf(error));
    } finally {
      this.#attempt = 0;
      stopListening();
      await condition(allHandlersFinished);
    }
  }

  /** Runs an attempt on a worker. If its worker leaves it and no other one comes in time, it runs again, however late. */
  async #run(request: PythonRunRequest, beginWithin: number | undefined): Promise<PythonOutcome> {
    try {
      return await pythonActivities(this.#work.queue, beginWithin).runTask(request);
    } catch (error) {
      if (!foundNoWorker(error) || !patched(STARTED_IN_TIME) || this.#starts === 0) throw error;
      this.#again = 'again:';
      return await pythonActivities(this.#work.queue, undefined).runTask(request);
    }
  }

  /** Returns the latest time at which an attempt may start, in milliseconds since 1970. */
  #beginBy(attempt: number): number {
    const { expires } = this.#input;
    return attempt > 1 || expires === null ? Infinity : Date.parse(expires);
  }

  async #begin({ attempt, nth, worker = '' }: Partial<AttemptBegins>): Promise<AttemptBegun> {
    if (attempt === undefined || attempt !== this.#attempt) throw notWanted('this attempt is over');
    if (this.#starts === 0 && Date.now() >= this.#beginBy(attempt)) return { version, verdict: 'expired', starts: 0 };
    this.#starts += 1;
    const starts = this.#starts;
    const stands = await this.#record.recordEvent('task_started', `attempt:${attempt}:${this.#again}${nth}:started`, {
      attempt,
      worker,
    });
    // Temporal lost what it knew of this attempt, and the record may have its end as well.
    if (!stands && patched('starts-unless-ended') && (await this.#record.findEnd())) {
      throw notWanted('the task has ended');
    }
    return { version, verdict: 'run', starts };
  }

  async #progress({ attempt, progress }: Partial<ProgressReport>): Promise<void> {
    if (attempt === undefined || attempt !== this.#attempt || !progress) return;
    this.#reports += 1;
    try {
      await this.#record.recordEvent('task_progressed', `progress:${this.#reports}`, { attempt, ...progress });
    } catch (error) {
      // The work goes on without it, and the task may have ended meanwhile.
      log.info('progress was not recorded', { error });
    }
  }

  async #conclude(outcome: PythonOutcome): Promise<RecordedEnd | Revoked | AttemptFailure> {
    switch (outcome.kind) {
      case 'succeeded':
      case 'ignored':
        return this.#record.recordSuccess({ result: outcome.result });
      case 'failed':
        return { error: outcome.error, retry: null };
      case 'retry':
        return this.#nextAttempt(outcome);
      case 'replaced':
        return this.#replace(outcome);
      case 'revoked':
        return { kind: 'revoked', reason: 'revoked', by: 'worker' };
      case 'expired':
        return EXPIRED;
      default:
        return outcome satisfies never;
    }
  }

  /** Waits for the task that replaces this one. */
  async #replace({ error }: Extract<PythonOutcome, { kind: 'replaced' }>): Promise<Revoked | AttemptFailure> {
    const nesting = Number(this.#work.headers?.replaced_task_nesting ?? 0);
    const hasCome = () => this.#replacement !== undefined && this.#replacement.nesting > nesting;
    await condition(() => hasCome() || this.#revocation.revocation !== undefined);
    if (this.#revocation.revocation) return { kind: 'revoked', ...this.#revocation.revocation };
    const { becomes } = this.#replacement!;
    switch (becomes.kind) {
      case 'work': {
        const after_ms = becomes.eta === null ? 0 : Math.max(0, Date.parse(becomes.eta) - Date.now());
        return this.#nextAttempt({ version, kind: 'retry', error, after_ms, counted: false, next: becomes.work });
      }
      case 'failed':
        return { error: becomes.error, retry: null };
      case 'revoked':
        return { kind: 'revoked', reason: 'revoked', by: 'worker' };
      default:
        return becomes satisfies never;
    }
  }

  #nextAttempt({ error, after_ms, counted, next }: Extract<PythonOutcome, { kind: 'retry' }>): AttemptFailure {
    const before = this.#work;
    if (next) this.#work = next;
    const { args, kwargs } = this.#work;
    const changed = isEqual(before, this.#work) ? {} : { args, kwargs };
    return { error, retry: { after_ms, counted, ...changed } };
  }
}

function notWanted(why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(why, 'NotWanted');
}

type Arguments = Pick<PythonWork, 'args' | 'kwargs'>;

function isEqual(one: Arguments, other: Arguments): boolean {
  return JSON.stringify([one.args, one.kwargs]) === JSON.stringify([other.args, other.kwargs]);
}
