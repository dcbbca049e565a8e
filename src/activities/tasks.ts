import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { LIMITS } from '../contracts/budgets.ts';
import type { TimeLimits } from '../contracts/tasks/worker-control.ts';
import { jsonOf, storableJson } from '../domain/record/storable.ts';
import { PermanentTaskError, RetryableTaskError } from '../domain/tasks/task-error.ts';
import type { Db } from '../store/database.ts';
import { StoreFault } from '../store/store-fault.ts';
import { countTaskStarts } from '../store/tasks/task-count-starts.ts';
import type { TaskPort, Worked } from '../workflows/ports/tasks.ts';
import { AttemptRecord } from './attempt-record.ts';
import { attemptFailed, expired, NotYet, WorkInterrupted } from './failures.ts';
import type { ActivityMeter } from './meter.ts';
import type { RunnableTask, TaskCode } from './task-code.ts';

/** How often a heartbeat is sent. A revocation is noticed as often. */
const HEARTBEAT_MS = 2_000;

/** A task that has lost this many workers is at fault itself. */
const MAX_LOST_WORKERS = 5;

/** How long to wait for stopped work to end before the attempt is given up. */
const STOPPING_MS = 5_000;

/** How long a worker leaves an unknown task to other workers, such as one that was started later. */
const ELSEWHERE_MS = 1_000;

/** The details of a heartbeat. They outlive an attempt whose worker is lost. */
interface Beat {
  /** How many times the work was interrupted in an orderly way: the worker stopped, or the database was away. */
  interrupted: number;
  progress: unknown;
}

type Request = Parameters<TaskPort['runTask']>[0];

/** The rate and time limits that the worker got since it started. */
export interface TaskRules {
  /** Returns how long a task has to wait before it may begin on this worker, in milliseconds; 0: not at all. */
  waitMs(name: string): number;
  limitsOf(name: string): TimeLimits | undefined;
}

/**
 * Returns the activity that does the work of tasks. @param code the tasks that this worker knows. @param identity the
 * worker's name in the record.
 */
export function taskActivities(
  db: Db,
  code: TaskCode,
  identity: string,
  rules: TaskRules,
  meter?: Pick<ActivityMeter, 'taskEnded'>,
): TaskPort {
  return {
    async runTask(request) {
      const activity = Context.current();
      const last = (activity.info.heartbeatDetails as Beat | undefined) ?? {
        interrupted: 0,
        progress: request.progress,
      };
      const beat = { ...last };
      // From the start: while the database hangs, no other worker must get the attempt as well.
      const beats = setInterval(() => activity.heartbeat(beat), HEARTBEAT_MS);
      try {
        return await work(request, activity, beat);
      } finally {
        clearInterval(beats);
      }
    },
  };

  async function work(given: Request, activity: Context, beat: Beat): Promise<Worked> {
    const { info } = activity;
    const begun = `${given.step}attempt:${given.attempt}:${given.again ? 'again:' : ''}`;
    const task = code.find(given.name);
    const waitMs = task ? rules.waitMs(given.name) : ELSEWHERE_MS;
    if (!task || waitMs > 0) throw await sentAway(db, given, begun, waitMs);
    // Temporal's own limit on waiting restarts with each retry.
    if (info.attempt > 1 && (await hasExpired(db, given, begun))) throw expired();
    const request = limited(given, rules.limitsOf(given.name));
    if (info.attempt > MAX_LOST_WORKERS) {
      // The count comes from the record, not from heartbeats: work that kills its worker at once sends none.
      const lost = (await countTaskStarts(db, request.task_id, begun)) - beat.interrupted;
      if (lost >= MAX_LOST_WORKERS) throw workersLost(lost, beat);
    }
    const record = new AttemptRecord(db, request, meter);
    if (!(await record.begin({ key: `${begun}${info.attempt}:started`, worker: identity }))) return { has_ended: true };
    const attempt = new Attempt(request, activity, beat);
    const result = recordable(await attempt.run(task), attempt);
    return { result, ...(await record.succeed(result)) };
  }
}

/** Returns why an attempt does not begin here now. */
async function sentAway(db: Db, request: Request, begun: string, waitMs: number): Promise<Error> {
  if (await hasExpired(db, request, begun)) return expired();
  const leftMs = request.begin_by === undefined ? Infinity : Date.parse(request.begin_by) - Date.now();
  const message = `this worker begins no ${request.name} now`;
  return new NotYet(message, leftMs > 0 ? Math.min(waitMs, leftMs) : waitMs);
}

/** Says whether a task may no longer begin, and has not begun. */
async function hasExpired(db: Db, { task_id, begin_by }: Request, begun: string): Promise<boolean> {
  return (
    begin_by !== undefined && Date.parse(begin_by) <= Date.now() && (await countTaskStarts(db, task_id, begun)) === 0
  );
}

/** Returns the request with the stricter of its limits and the worker's. Past its own limits, Temporal would consider the worker lost. */
function limited(request: Request, limits: TimeLimits | undefined): Request {
  return {
    ...request,
    soft_limit_ms: Math.min(request.soft_limit_ms, limits?.soft_ms ?? Infinity),
    hard_limit_ms: Math.min(request.hard_limit_ms, limits?.hard_ms ?? Infinity),
  };
}

/** One attempt at the work of a task: its limits, what its heartbeats say, and how it is stopped. */
class Attempt {
  readonly #request: Request;
  readonly #activity: Context;
  readonly #beat: Beat;
  readonly #stop = new AbortController();

  /** @param beat what the heartbeats say; the attempt changes it. */
  constructor(request: Request, activity: Context, beat: Beat) {
    this.#request = request;
    this.#activity = activity;
    this.#beat = beat;
  }

  get progress(): unknown {
    return this.#beat.progress;
  }

  /** @throws {ApplicationFailure} that says what to do next. Interruptions and cancellations are thrown unchanged. */
  async run(task: RunnableTask): Promise<unknown> {
    const { soft_limit_ms, hard_limit_ms } = this.#request;
    const { cancellationSignal } = this.#activity;
    const timers: NodeJS.Timeout[] = [];
    try {
      // The database may have taken so long to record the start that Temporal no longer waits for this attempt.
      if (cancellationSignal.aborted) throw whyCancelled(this.#activity);
      return await new Promise((resolve, reject) => {
        const giveUp = (error: unknown, afterMs: number) => timers.push(setTimeout(() => reject(error), afterMs));
        const soft = limitExceeded('SoftTimeLimitExceeded', soft_limit_ms);
        timers.push(setTimeout(() => this.#stop.abort(soft), soft_limit_ms));
        giveUp(limitExceeded('TimeLimitExceeded', hard_limit_ms), hard_limit_ms);
        const cancel = () => {
          const reason = whyCancelled(this.#activity);
          this.#stop.abort(reason);
          giveUp(reason, STOPPING_MS);
        };
        cancellationSignal.addEventListener('abort', cancel, { once: true });
        this.#work(task).then(resolve, reject);
      });
    } catch (error) {
      throw this.#verdict(error);
    } finally {
      for (const timer of timers) clearTimeout(timer);
      this.#stop.abort(new CancelledFailure('the attempt is over'));
    }
  }

  async #work(task: RunnableTask): Promise<unknown> {
    const { task_id, attempt } = this.#request;
    return task.run(this.#request, {
      taskId: task_id,
      attempt,
      signal: this.#stop.signal,
      progress: this.#beat.progress,
      heartbeat: (progress) => {
        requireSmall(progress);
        this.#beat.progress = progress;
        this.#heartbeat();
      },
    });
  }

  #heartbeat(): void {
    this.#activity.heartbeat(this.#beat);
  }

  /** Returns what the attempt fails with, given the error of the work. */
  #verdict(error: unknown): unknown {
    // Whatever the work throws after it was told to stop, it throws because of that.
    const { aborted, reason } = this.#stop.signal;
    const told = aborted ? (reason as unknown) : error;
    const cause = error instanceof PermanentTaskError ? error : told;
    if (cause instanceof CancelledFailure) return cause;
    if (cause instanceof WorkInterrupted || (cause instanceof StoreFault && cause.kind === 'away')) {
      // Not the task's fault: Temporal retries it, and it does not count as a lost worker.
      this.#beat.interrupted += 1;
      this.#heartbeat();
      return cause;
    }
    return attemptFailed(cause, this.#beat.progress);
  }
}

function workersLost(times: number, { progress }: Beat): Error {
  const message = `Worker exited prematurely ${times} times`;
  return failedForGood('WorkerLostError', message, progress);
}

/** Says why Temporal wants the work to stop: the task was revoked, or the worker stops and another one goes on. */
function whyCancelled({ cancellationDetails, cancellationSignal }: Context): Error {
  if (cancellationDetails?.workerShutdown) return new WorkInterrupted('the worker stops');
  return cancellationSignal.reason instanceof CancelledFailure
    ? cancellationSignal.reason
    : new CancelledFailure('cancelled');
}

function limitExceeded(type: 'SoftTimeLimitExceeded' | 'TimeLimitExceeded', limitMs: number): Error {
  const message = `${limitMs / 1_000}s`;
  // As in Celery, the soft limit is an ordinary exception; after the hard one there is no other attempt.
  if (type === 'SoftTimeLimitExceeded') return new RetryableTaskError({ type, message });
  return new PermanentTaskError({ type, message });
}

/** @throws {PermanentTaskError} if progress is too large for Temporal to carry with each heartbeat. */
function requireSmall(progress: unknown): void {
  const { length } = JSON.stringify(progress) ?? '';
  if (length <= LIMITS.tasks.progressCharacters) return;
  const message = `the progress has ${length} characters of JSON; ${LIMITS.tasks.progressCharacters} is the most`;
  throw new PermanentTaskError({ type: 'ProgressTooLarge', message });
}

/** Returns a result as the record can hold it: JSON, well-formed text without NUL. @throws if it is not JSON, or too large. */
function recordable(result: unknown, { progress }: Attempt): unknown {
  const json = storableJson(
    jsonOf(result, (why) => failedForGood('ResultNotJson', `the result is not JSON: ${why}`, progress)),
  );
  const { resultCharacters, resultBytes } = LIMITS.tasks;
  const bytes = Buffer.byteLength(json);
  if (json.length <= resultCharacters && bytes <= resultBytes) return JSON.parse(json);
  const message =
    json.length > resultCharacters
      ? `the result has ${json.length} characters of JSON; ${resultCharacters} is the most`
      : `the result has ${bytes} bytes of JSON; ${resultBytes} is the most`;
  throw failedForGood('ResultTooLarge', message, progress);
}

function failedForGood(type: string, message: string, progress: unknown): Error {
  return attemptFailed(new PermanentTaskError({ type, message }), progress);
}
