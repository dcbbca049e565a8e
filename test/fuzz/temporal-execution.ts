import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { coresdk } from '@temporalio/proto';
import { type Process, runIn } from './clock.ts';
import type { VirtualTemporal } from './temporal.ts';
import {
  type Command,
  cancelled,
  completed,
  failureOf,
  fromPayload,
  inOrder,
  type Job,
  msOf,
  type Payload,
  retryPause,
  type Schedule,
  signatureOf,
} from './temporal-jobs.ts';

/** One run of workflow code: what came, when, and what it asked for. A replay must ask for the same. */
interface Activation {
  at: number;
  jobs: Job[];
  asked: string[];
}

/** A workflow task that was completed: its activations, and what was out before it. */
interface CompletedTask {
  activations: Activation[];
  /** What came with it from the server. */
  input: Job[];
  openActivities: Map<number, Schedule>;
  openTimers: Map<number, number>;
  /** Activities that had been cancelled before it. */
  cancelled: Set<number>;
}

/** What Temporal keeps of a sticky workflow in a worker. */
export interface Instance {
  activate(activation: object): Promise<coresdk.workflow_completion.IWorkflowActivationCompletion>;
  dispose(): Promise<void>;
}

/** A worker that died is noticed after this long; a task that failed is tried again after it. */
const TASK_TIMEOUT_MS = 10_000;

const FINAL = [
  'completeWorkflowExecution',
  'failWorkflowExecution',
  'cancelWorkflowExecution',
  'continueAsNewWorkflowExecution',
] as const;

/**
 * One run of a workflow as server and SDK core keep it: history, tasks, timers, activities. The workflow code itself runs
 * in Temporal's own sandbox. What a worker that dies takes with it is lost, and done again from the history.
 */
export class Execution {
  readonly workflowId: string;
  readonly runId: string;
  /** Of the run that was begun, before any reset. */
  readonly originalRunId: string;
  readonly type: string;
  readonly startedAt: number;
  readonly memo: Record<string, unknown>;
  readonly attributes = new Map<string, unknown>();
  /** How it was closed; undefined while it runs. */
  closed: { how: (typeof FINAL)[number] | 'terminated'; at: number; result?: unknown } | undefined;
  readonly #server: VirtualTemporal;
  readonly #seed: number[];
  #history: CompletedTask[] = [];
  /** Of the SDK: how workflow code that was begun under some behaviour keeps it. */
  readonly #flags = new Set<number>();
  /** Changes of the workflow code that its history knows. */
  readonly #patches = new Set<string>();
  #inbox: Job[] = [];
  #task: 'none' | 'scheduled' | 'open' = 'none';
  #instance: Instance | undefined;
  #openTimers = new Map<number, number>();
  #openActivities = new Map<number, Schedule>();
  /** Activities that workflow code cancelled: how they end it does not hear any more. */
  readonly #cancelled = new Set<number>();
  /** What the worker holds while a task is open. */
  #handedOut: Job[] = [];

  constructor(
    server: VirtualTemporal,
    start: { workflowId: string; runId: string; type: string; memo: Record<string, unknown>; before?: Execution },
  ) {
    this.#server = server;
    this.workflowId = start.workflowId;
    this.runId = start.runId;
    this.type = start.type;
    this.memo = start.memo;
    this.originalRunId = start.before?.originalRunId ?? start.runId;
    this.#seed = seedOf(this.originalRunId);
    this.startedAt = server.clock.now;
  }

  /** Tasks that were completed, to be reset to. */
  get tasks(): number {
    return this.#history.length;
  }

  /** Something happened; workflow code hears of it with the next task. */
  deliver(job: Job): void {
    if (this.closed) return;
    this.#inbox.push(job);
    this.#scheduleTask(this.#server.latency());
  }

  #scheduleTask(ms: number): void {
    if (this.#task !== 'none' || this.closed) return;
    this.#task = 'scheduled';
    this.#server.whenWorking(ms, (worker) => {
      if (this.closed) return;
      this.#task = 'open';
      this.#server.clock.spawn(worker, () => this.#workOn(worker));
    });
  }

  /** The worker is gone, with its cache and the task that it held. */
  workerDied(): void {
    this.#instance = undefined;
    if (this.#task === 'open') this.#again(TASK_TIMEOUT_MS);
  }

  /** Hands the open task out once more, from the history. */
  #again(ms: number): void {
    this.#inbox = [...this.#handedOut.splice(0), ...this.#inbox];
    this.#instance = undefined;
    this.#task = 'none';
    this.#scheduleTask(ms);
  }

  async #workOn(worker: Process): Promise<void> {
    const input = this.#inbox.splice(0).filter((job) => !this.#cancelled.has(job.resolveActivity?.seq ?? 0));
    this.#handedOut = [...input];
    this.#instance ??= await this.#replayed(worker);
    const task: CompletedTask = {
      activations: [],
      input,
      openActivities: new Map(this.#openActivities),
      openTimers: new Map(this.#openTimers),
      cancelled: new Set(this.#cancelled),
    };
    const outgoing = await this.#activateUntilIdle(worker, task, inOrder(input));
    const closes = outgoing.some((command) => FINAL.some((name) => command[name]));
    // The server refuses to close a workflow that has not heard of everything (UnhandledCommand).
    if (closes && this.#inbox.length > 0) return this.#again(0);
    this.#handedOut = [];
    this.#history.push(task);
    this.#task = 'none';
    for (const command of outgoing) this.#carryOut(command);
    if (this.#inbox.length > 0) this.#scheduleTask(this.#server.latency());
  }

  /** Runs workflow code until it waits for the server; local activities run within the task. */
  async #activateUntilIdle(worker: Process, task: CompletedTask, first: Job[]): Promise<Command[]> {
    const outgoing: Command[] = [];
    const local = new Map<number, Promise<Job>>();
    // What workflow code waits for: also what has ended meanwhile, of which it hears with the next task.
    const waitedFor = new Map([...task.openActivities].map(([seq, { activityType }]) => [seq, activityType ?? '']));
    for (let jobs = first; ; ) {
      const at = this.#server.clock.now;
      const commands = await this.#activate(worker, this.#instance!, { at, jobs }, false);
      task.activations.push({ at, jobs, asked: commands.map(signatureOf) });
      jobs = [];
      for (const command of commands) {
        if (command.scheduleLocalActivity) {
          local.set(command.scheduleLocalActivity.seq!, this.#runLocally(worker, command.scheduleLocalActivity));
        } else if (command.requestCancelLocalActivity) {
          const { seq } = command.requestCancelLocalActivity;
          if (local.delete(seq!)) jobs.push(cancelled(seq!, 'local'));
        } else {
          outgoing.push(command);
          const { scheduleActivity, requestCancelActivity } = command;
          if (scheduleActivity) waitedFor.set(scheduleActivity.seq!, scheduleActivity.activityType ?? '');
          // TRY_CANCEL, the default: workflow code is told at once, whatever becomes of the activity.
          const cancelledSeq = requestCancelActivity?.seq ?? 0;
          if (waitedFor.has(cancelledSeq)) jobs.push(cancelled(cancelledSeq, waitedFor.get(cancelledSeq)!));
        }
      }
      if (jobs.length > 0) continue;
      if (local.size === 0) return outgoing;
      const resolved = await Promise.race(local.values());
      await worker.survived();
      local.delete(resolved.resolveActivity!.seq!);
      jobs = [resolved];
    }
  }

  async #activate(
    worker: Process,
    instance: Instance,
    { at, jobs }: Pick<Activation, 'at' | 'jobs'>,
    isReplaying: boolean,
  ) {
    const activated = instance.activate({
      runId: this.runId,
      timestamp: msToTs(at),
      jobs,
      isReplaying,
      historyLength: 3 + this.#history.length,
      availableInternalFlags: [...this.#flags],
    });
    const completion = await this.#server.clock.turning(activated);
    await worker.survived();
    if (completion.failed) {
      this.#server.fault(`a workflow task of ${this.workflowId} failed: ${JSON.stringify(completion.failed)}`);
    }
    for (const flag of completion.successful?.usedInternalFlags ?? []) this.#flags.add(flag);
    return completion.successful?.commands ?? [];
  }

  /** Workflow code as it was, from its history, as a worker does that has not (or no longer) got it. */
  async #replayed(worker: Process): Promise<Instance> {
    const instance = await this.#server.createInstance({
      workflowId: this.workflowId,
      runId: this.runId,
      originalRunId: this.originalRunId,
      type: this.type,
      seed: this.#seed,
      startedAt: this.startedAt,
    });
    const patches: Job[] = [...this.#patches].map((patchId) => ({ notifyHasPatch: { patchId } }));
    for (const { activations } of this.#history) {
      for (const activation of activations) {
        const jobs = [...patches.splice(0), ...activation.jobs];
        const asked = (await this.#activate(worker, instance, { at: activation.at, jobs }, true)).map(signatureOf);
        if (asked.join() !== activation.asked.join()) {
          this.#server.fault(`a replay of ${this.workflowId} asks for ${asked}, not for ${activation.asked}`);
        }
      }
    }
    if (this.#history.length > 0) this.#server.replays += 1;
    return instance;
  }

  #carryOut(command: Command): void {
    const { clock } = this.#server;
    if (command.setPatchMarker) {
      this.#patches.add(command.setPatchMarker.patchId!);
    } else if (command.startTimer) {
      const seq = command.startTimer.seq!;
      this.#startTimer(seq, clock.now + msOf(command.startTimer.startToFireTimeout));
    } else if (command.cancelTimer) {
      this.#openTimers.delete(command.cancelTimer.seq!);
    } else if (command.scheduleActivity) {
      this.#openActivities.set(command.scheduleActivity.seq!, command.scheduleActivity);
      this.#attempt(command.scheduleActivity, 1, undefined);
    } else if (command.requestCancelActivity) {
      this.#openActivities.delete(command.requestCancelActivity.seq!);
      this.#cancelled.add(command.requestCancelActivity.seq!);
    } else if (command.upsertWorkflowSearchAttributes) {
      const fields = command.upsertWorkflowSearchAttributes.searchAttributes?.indexedFields ?? {};
      for (const [name, payload] of Object.entries(fields)) this.attributes.set(name, fromPayload(payload));
    } else if (command.startChildWorkflowExecution) {
      this.#server.startChild(this, command.startChildWorkflowExecution);
    } else if (command.signalExternalWorkflowExecution) {
      this.#server.signalFrom(this, command.signalExternalWorkflowExecution);
    }
    for (const how of FINAL) {
      if (!command[how]) continue;
      this.#close(how, command.completeWorkflowExecution?.result);
      const { cause, message } = command.failWorkflowExecution?.failure ?? {};
      if (message) this.#server.fault(`${this.workflowId} failed: ${message}: ${cause?.message}`);
    }
  }

  #close(how: NonNullable<Execution['closed']>['how'], result?: Payload | null): void {
    this.closed = { how, at: this.#server.clock.now, ...(result ? { result: fromPayload(result) } : {}) };
    this.#openActivities.clear();
    this.#openTimers.clear();
    void this.#instance?.dispose();
    this.#instance = undefined;
    this.#server.executionClosed(this);
  }

  #startTimer(seq: number, at: number): void {
    this.#openTimers.set(seq, at);
    this.#server.clock.after(at - this.#server.clock.now + this.#server.latency(), () => {
      if (this.#openTimers.get(seq) !== at) return;
      this.#openTimers.delete(seq);
      this.deliver({ fireTimer: { seq } });
    });
  }

  async #runLocally(worker: Process, scheduled: coresdk.workflow_commands.IScheduleLocalActivity): Promise<Job> {
    const { seq, activityType } = scheduled as { seq: number; activityType: string };
    const ran = this.#server.track(worker, this.#context(scheduled, 1, undefined, true), activityType, scheduled);
    const outcome = await this.#server.inTime(ran, msOf(scheduled.startToCloseTimeout));
    if ('result' in outcome) return completed(seq, outcome.result, true);
    return { resolveActivity: { seq, isLocal: true, result: { failed: failureOf(activityType, seq, outcome.error) } } };
  }

  /** One attempt of an activity, and all that follow from how it ends. */
  #attempt(scheduled: Schedule, attempt: number, heartbeat: unknown, pauseMs = this.#server.latency()): void {
    const { seq, activityType } = scheduled as { seq: number; activityType: string };
    const isOpen = () => !this.closed && this.#openActivities.get(seq) === scheduled;
    this.#server.whenWorking(pauseMs, (worker) => {
      if (!isOpen()) return;
      const context = this.#context(scheduled, attempt, heartbeat, false);
      const ran = this.#server.track(worker, context, activityType, scheduled);
      void this.#server.inTime(ran, msOf(scheduled.startToCloseTimeout)).then((outcome) => {
        if (!isOpen()) return;
        if ('result' in outcome) {
          this.#openActivities.delete(seq);
          this.deliver(completed(seq, outcome.result, false));
          return;
        }
        const pause = retryPause(scheduled, attempt, outcome.error);
        if (pause !== undefined) return this.#attempt(scheduled, attempt + 1, context.heartbeat.details, pause);
        this.#openActivities.delete(seq);
        this.deliver({ resolveActivity: { seq, result: { failed: failureOf(activityType, seq, outcome.error) } } });
      });
    });
  }

  #context(scheduled: Pick<Schedule, 'activityType'>, attempt: number, heartbeatDetails: unknown, isLocal: boolean) {
    const heartbeat = { details: heartbeatDetails };
    const info = {
      activityType: scheduled.activityType,
      attempt,
      isLocal,
      heartbeatDetails,
      workflowExecution: { workflowId: this.workflowId, runId: this.runId },
      currentAttemptScheduledTimestampMs: this.#server.clock.now,
    };
    const context = {
      info,
      heartbeat: (details: unknown) => {
        heartbeat.details = details;
      },
      cancelled: new Promise(() => {}),
      cancellationSignal: new AbortController().signal,
    } as unknown as Context;
    return { context, heartbeat };
  }

  terminate(): void {
    this.#close('terminated');
  }

  /**
   * What `temporal workflow reset` makes of this execution: another run with the history up to a task, which is done
   * anew. What was out before that task is started again; signals that came since are kept.
   */
  resetTo(task: number, into: Execution): void {
    const upTo = this.#history[task]!;
    into.#history = this.#history.slice(0, task);
    for (const flag of this.#flags) into.#flags.add(flag);
    for (const patch of this.#patches) into.#patches.add(patch);
    for (const seq of upTo.cancelled) into.#cancelled.add(seq);
    const signals = this.#history
      .slice(task + 1)
      .flatMap(({ input }) => input)
      .concat(this.#inbox)
      .filter((job) => job.signalWorkflow);
    into.#inbox = [...upTo.input, ...signals];
    into.#inbox.push({ updateRandomSeed: { randomnessSeed: { toBytes: () => seedOf(into.runId) } as never } });
    for (const [seq, at] of upTo.openTimers) into.#startTimer(seq, Math.max(at, this.#server.clock.now));
    for (const [seq, scheduled] of upTo.openActivities) {
      into.#openActivities.set(seq, scheduled);
      into.#attempt(scheduled, 1, undefined);
    }
    for (const [name, value] of this.attributes) into.attributes.set(name, value);
    into.#scheduleTask(this.#server.latency());
  }
}

/** Bytes of the seed of a run, as the server derives one from the run id. */
export function seedOf(runId: string): number[] {
  return [...Buffer.from(runId.replaceAll('-', ''), 'hex')];
}

/** Runs an activity's code where it finds its context. */
export function runActivity<T>(worker: Process, context: Context, run: () => Promise<T>): Promise<T> {
  return runIn(worker, () => asyncLocalStorage.run(context, run));
}
