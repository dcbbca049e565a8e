import { msToTs } from '@temporalio/common/lib/time.js';
import type { coresdk } from '@temporalio/proto';
import { contextOf } from './activity-context.ts';
import type { Process } from './clock.ts';
import type { VirtualTemporal } from './temporal.ts';
import { type Activation, type Beginning, type CompletedTask, seedOf } from './temporal-history.ts';
import {
  type Command,
  cancelled,
  completed,
  errorOf,
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
  readonly input: readonly Payload[];
  readonly attributes = new Map<string, unknown>();
  /** How it was closed; undefined while it runs. */
  closed:
    | { how: (typeof FINAL)[number] | 'terminated' | 'lost'; at: number; result?: unknown; failure?: Error }
    | undefined;
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
  /** All that came from the server, and all attributes that were set. */
  readonly #received: Array<{ at: number; job: Job }> = [];
  readonly #upserts: Array<{ at: number; name: string; value: unknown }> = [];
  /** What the worker holds while a task is open. */
  #handedOut: Job[] = [];

  constructor(server: VirtualTemporal, start: Beginning) {
    this.#server = server;
    this.workflowId = start.workflowId;
    this.runId = start.runId;
    this.type = start.type;
    this.memo = start.memo;
    this.input = start.input;
    this.originalRunId = start.originalRunId ?? start.runId;
    this.#seed = seedOf(this.originalRunId);
    this.startedAt = start.startedAt ?? server.clock.now;
  }

  /** When its last task was completed: what was recorded since, it has not heard of. */
  get heardUntil(): number {
    return this.#history.at(-1)?.at ?? 0;
  }

  /** Tasks that were completed, to be reset to. */
  get tasks(): number {
    return this.#history.length;
  }

  /** Something happened; workflow code hears of it with the next task. */
  deliver(job: Job): void {
    if (this.closed) return;
    this.#receive([job]);
    this.#scheduleTask(this.#server.latency());
  }

  #receive(jobs: Job[]): void {
    this.#inbox.push(...jobs);
    this.#received.push(...jobs.map((job) => ({ at: this.#server.clock.now, job })));
  }

  /** Sets a search attribute. */
  upsert(name: string, value: unknown): void {
    this.attributes.set(name, value);
    this.#upserts.push({ at: this.#server.clock.now, name, value });
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
    const activations: Activation[] = [];
    const outgoing = await this.#activateUntilIdle(worker, activations, inOrder(input));
    const closes = outgoing.some((command) => FINAL.some((name) => command[name]));
    // The server refuses to close a workflow that has not heard of everything (UnhandledCommand).
    if (closes && this.#inbox.length > 0) return this.#again(0);
    this.#handedOut = [];
    this.#task = 'none';
    for (const command of outgoing) this.#carryOut(command);
    this.#history.push({
      at: this.#server.clock.now,
      activations,
      input,
      openActivities: new Map(this.#openActivities),
      openTimers: new Map(this.#openTimers),
      cancelled: new Set(this.#cancelled),
    });
    if (this.#inbox.length > 0) this.#scheduleTask(this.#server.latency());
  }

  /** Runs workflow code until it waits for the server; local activities run within the task. */
  async #activateUntilIdle(worker: Process, activations: Activation[], first: Job[]): Promise<Command[]> {
    const outgoing: Command[] = [];
    const local = new Map<number, Promise<Job>>();
    // What workflow code waits for: also what has ended meanwhile, of which it hears with the next task.
    const waitedFor = new Map([...this.#openActivities].map(([seq, { activityType }]) => [seq, activityType ?? '']));
    for (let jobs = first; ; ) {
      const at = this.#server.clock.now;
      const commands = await this.#activate(worker, this.#instance!, { at, jobs }, false);
      activations.push({ at, jobs, asked: commands.map(signatureOf) });
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
      for (const [name, payload] of Object.entries(fields)) this.upsert(name, fromPayload(payload));
    } else if (command.startChildWorkflowExecution) {
      this.#server.startChild(this, command.startChildWorkflowExecution);
    } else if (command.signalExternalWorkflowExecution) {
      this.#server.signalFrom(this, command.signalExternalWorkflowExecution);
    }
    for (const how of FINAL) {
      if (!command[how]) continue;
      const failure = command.failWorkflowExecution?.failure;
      this.#close(how, {
        ...(command.completeWorkflowExecution?.result
          ? { result: fromPayload(command.completeWorkflowExecution.result) }
          : {}),
        ...(failure ? { failure: errorOf(failure) } : {}),
      });
      if (failure) this.#server.failed(this, `${failure.message}: ${failure.cause?.message}`);
    }
  }

  #close(
    how: NonNullable<Execution['closed']>['how'],
    outcome: Pick<NonNullable<Execution['closed']>, 'result' | 'failure'> = {},
  ): void {
    this.closed = { how, at: this.#server.clock.now, ...outcome };
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
    const ran = this.#server.track(worker, contextOf(this, scheduled, 1, undefined, true), activityType, scheduled);
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
      const context = contextOf(this, scheduled, attempt, heartbeat, false);
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

  terminate(): void {
    this.#close('terminated');
  }

  /** The server knows nothing of it any more: what goes on about it leads nowhere. */
  lose(): void {
    this.#close('lost');
  }

  /** This execution as it was at an earlier moment, for a server that is set back to it. */
  asOf(moment: number): Execution {
    const before = new Execution(this.#server, this);
    const history = this.#history.filter(({ at }) => at <= moment);
    const heard = new Set(history.flatMap(({ input }) => input));
    before.#received.push(...this.#received.filter(({ at }) => at <= moment));
    before.#inbox = before.#received.map(({ job }) => job).filter((job) => !heard.has(job));
    for (const { at, name, value } of this.#upserts) if (at <= moment) before.upsert(name, value);
    if (this.closed && this.closed.at <= moment) {
      before.#remember(history, this);
      before.closed = this.closed;
    } else {
      before.#takeUp(history, this);
    }
    return before;
  }

  /**
   * What `temporal workflow reset` makes of this execution: another run with the history up to a task, which is done
   * anew. What was out before that task is started again; signals that came since are kept.
   */
  resetTo(task: number, into: Execution): void {
    const signals = this.#history
      .slice(task + 1)
      .flatMap(({ input }) => input)
      .concat(this.#inbox)
      .filter((job) => job.signalWorkflow);
    into.#receive([...this.#history[task]!.input, ...signals]);
    into.#receive([{ updateRandomSeed: { randomnessSeed: { toBytes: () => seedOf(into.runId) } as never } }]);
    for (const [name, value] of this.attributes) into.upsert(name, value);
    into.#takeUp(this.#history.slice(0, task), this);
  }

  /** Has a history of another execution, with what its code knew. */
  #remember(history: CompletedTask[], from: Execution): void {
    this.#history = history;
    for (const flag of from.#flags) this.#flags.add(flag);
    for (const patch of from.#patches) this.#patches.add(patch);
  }

  /** Goes on behind a history of another execution: what was out then is started again, unless the inbox tells how it ended. */
  #takeUp(history: CompletedTask[], from: Execution): void {
    this.#remember(history, from);
    const last = history.at(-1);
    const ended = new Set(this.#inbox.map(({ resolveActivity }) => resolveActivity?.seq));
    const fired = new Set(this.#inbox.map(({ fireTimer }) => fireTimer?.seq));
    for (const seq of last?.cancelled ?? []) this.#cancelled.add(seq);
    for (const [seq, at] of last?.openTimers ?? []) {
      if (!fired.has(seq)) this.#startTimer(seq, Math.max(at, this.#server.clock.now));
    }
    for (const [seq, scheduled] of last?.openActivities ?? []) {
      if (ended.has(seq)) continue;
      this.#openActivities.set(seq, scheduled);
      this.#attempt(scheduled, 1, undefined);
    }
    if (this.#inbox.length > 0) this.#scheduleTask(this.#server.latency());
  }
}
