import { readFileSync } from 'node:fs';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { coresdk } from '@temporalio/proto';
import { ReusableVMWorkflowCreator } from '@temporalio/worker/lib/workflow/reusable-vm.js';
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js';
import { workflowBundle } from '../../src/worker/bundle.ts';
import { runActivity } from './activity-context.ts';
import { Process, type VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import { Execution, type Instance } from './temporal-execution.ts';
import { timeOutFailure, toPayload } from './temporal-jobs.ts';

/** Temporal's sandbox with the product's workflow code in it, as a worker has it. */
export interface Sandbox {
  create(options: object): Promise<Instance>;
}

/**
 * Loads the workflow bundle.
 * @param change what a mutation makes of its code
 * @param activityNames the activities that a worker of ours has
 */
export async function openSandbox(activityNames: string[], change = (code: string) => code): Promise<Sandbox> {
  const code = change(readFileSync(await workflowBundle(), 'utf8'));
  const sourceMap = { version: 3, sources: [], names: [], mappings: '' } as never;
  const creator = await ReusableVMWorkflowCreator.create(
    { code, sourceMap, filename: 'workflows.js' },
    // No limit: a watch on each of the millions of activations takes most of the time.
    undefined as never,
    new Set(activityNames),
  );
  // The SDK's stack traces of promises are for people, and cost more than all else here.
  globalHandlers.uninstall();
  return { create: (options) => creator.createWorkflow(options as never) as unknown as Promise<Instance> };
}

/** What runs activities in a worker, by name. */
export type Activities = Record<string, (...args: never[]) => Promise<unknown>>;

type Outcome = { result: unknown } | { error: unknown };

/** Longest time until the server or a worker takes what is due, in ordinary times. */
const LATENCY_MS = 60;

/**
 * A Temporal server with one worker, in virtual time, as far as workflows of ours use it. What the server and the SDK's
 * core do is modelled; what workflow code sees is the SDK itself.
 */
export class VirtualTemporal {
  readonly clock: VirtualClock;
  /** Every run of every workflow, oldest first. */
  readonly executions: Execution[] = [];
  replays = 0;
  readonly #dice: Dice;
  readonly #sandbox: Sandbox;
  readonly #activities: (worker: Process) => Activities;
  readonly #running = new Map<string, Execution>();
  readonly #parents = new Map<Execution, { parent: Execution; seq: number }>();
  readonly #faults: string[];
  readonly #mayFail: (execution: Execution) => boolean;
  #worker: { process: Process; activities: Activities } | undefined;
  #waiting: Array<() => void> = [];

  /**
   * @param activities makes the activities of a worker that starts
   * @param faults hears what must never happen
   * @param mayFail whether a workflow that fails does so rightly
   */
  constructor(
    clock: VirtualClock,
    dice: Dice,
    sandbox: Sandbox,
    activities: (worker: Process) => Activities,
    faults: string[],
    mayFail: (execution: Execution) => boolean,
  ) {
    this.clock = clock;
    this.#dice = dice;
    this.#sandbox = sandbox;
    this.#activities = activities;
    this.#faults = faults;
    this.#mayFail = mayFail;
  }

  fault(text: string): void {
    this.#faults.push(text);
  }

  failed(execution: Execution, why: string): void {
    if (!this.#mayFail(execution)) this.fault(`${execution.workflowId} failed: ${why}`);
  }

  latency(): number {
    return this.#dice.between(1, LATENCY_MS);
  }

  /** Starts a worker, after which all that waited for one is due. */
  startWorker(): void {
    if (this.#worker) return;
    const process = new Process('worker');
    this.#worker = { process, activities: this.#activities(process) };
    for (const due of this.#waiting.splice(0)) due();
  }

  /** kill -9 of the worker. */
  killWorker(): void {
    if (!this.#worker) return;
    this.#worker.process.alive = false;
    this.#worker = undefined;
    for (const execution of this.#running.values()) execution.workerDied();
  }

  /** Does something so many milliseconds from now or, where no worker runs then, as soon as one does. */
  whenWorking(ms: number, work: (worker: Process) => void): void {
    const due = () => {
      if (this.#worker) work(this.#worker.process);
      else this.#waiting.push(due);
    };
    this.clock.after(ms, due);
  }

  /** Runs an activity in a worker; never ends where the worker is killed. */
  track(
    worker: Process,
    { context }: { context: Parameters<typeof runActivity>[1] },
    name: string,
    scheduled: { arguments?: unknown[] | null },
  ): Promise<Outcome> {
    const run = this.#worker?.activities[name];
    if (!run) throw new Error(`there is no activity ${name}`);
    const args = (scheduled.arguments ?? []).map((payload) =>
      JSON.parse(Buffer.from((payload as Data).data).toString()),
    );
    return new Promise((resolve) => {
      this.clock.spawn(worker, async () => {
        const outcome = await runActivity(worker, context, () => run(...(args as never[]))).then(
          (result) => ({ result }),
          (error: unknown) => ({ error }),
        );
        await worker.survived();
        resolve(outcome);
      });
    });
  }

  /** An outcome, or that the time was over before it. */
  inTime(outcome: Promise<Outcome>, ms: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, () => resolve({ error: timeOutFailure() }));
      void outcome.then((value) => {
        cancel();
        resolve(value);
      });
    });
  }

  createInstance({ workflowId, runId, originalRunId, type, seed, startedAt }: CreateOptions): Promise<Instance> {
    return this.#sandbox.create({
      randomnessSeed: seed,
      now: this.clock.now,
      showStackTraceSources: false,
      info: {
        workflowId,
        runId,
        workflowType: type,
        searchAttributes: {},
        typedSearchAttributes: new TypedSearchAttributes(),
        taskQueue: 'simulated',
        namespace: 'default',
        firstExecutionRunId: originalRunId,
        originalExecutionRunId: originalRunId,
        startTime: new Date(startedAt),
        runStartTime: new Date(startedAt),
        taskTimeoutMs: 10_000,
        attempt: 1,
        historyLength: 3,
        historySize: 0,
        continueAsNewSuggested: false,
        suggestedContinueAsNewReasons: [],
        targetWorkerDeploymentVersionChanged: false,
        currentBuildId: '',
        unsafe: { isReplaying: false, isReplayingHistoryEvents: false },
      },
    });
  }

  /** The run of a workflow that is open; undefined where none is. */
  open(workflowId: string): Execution | undefined {
    return this.#running.get(workflowId);
  }

  /** Starts a workflow. @throws where one of this id is open, or was and must not be again. */
  start(
    type: string,
    workflowId: string,
    args: unknown[],
    { memo = {}, reuse = 'ALLOW_DUPLICATE' }: { memo?: Record<string, unknown>; reuse?: string } = {},
  ): Execution {
    const before = this.executions.findLast((other) => other.workflowId === workflowId);
    if (before && (!before.closed || reuse === 'REJECT_DUPLICATE')) {
      throw new WorkflowExecutionAlreadyStartedError('already started', workflowId, type);
    }
    const input = args.map((arg) => toPayload(arg));
    const execution = this.#add({ type, workflowId, memo, input });
    execution.deliver({
      initializeWorkflow: {
        workflowType: type,
        workflowId,
        arguments: input as never,
        attempt: 1,
        firstExecutionRunId: execution.runId,
      },
    });
    return execution;
  }

  #add(begun: Omit<ConstructorParameters<typeof Execution>[1], 'runId'>): Execution {
    const hex = Array.from({ length: 32 }, () => this.#dice.between(0, 15).toString(16)).join('');
    const runId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    const execution = new Execution(this, { ...begun, runId });
    this.executions.push(execution);
    this.#running.set(begun.workflowId, execution);
    return execution;
  }

  /** The server's data is as it was at an earlier moment; without one, all of it is gone. To be done while no worker runs. */
  setBack(moment = Number.NEGATIVE_INFINITY): void {
    const lost = this.executions.splice(0);
    this.executions.push(...lost.filter(({ startedAt }) => startedAt <= moment).map((one) => one.asOf(moment)));
    for (const execution of lost) execution.lose();
    this.#running.clear();
    for (const execution of this.executions) {
      if (!execution.closed) this.#running.set(execution.workflowId, execution);
    }
  }

  /** @throws {WorkflowNotFoundError} where none is open. */
  signal(workflowId: string, name: string, args: unknown[]): void {
    const execution = this.open(workflowId);
    if (!execution) throw new WorkflowNotFoundError('not found', workflowId, undefined);
    execution.deliver({ signalWorkflow: { signalName: name, input: args.map((arg) => toPayload(arg)) as never } });
  }

  /** `temporal workflow cancel`. */
  cancel(workflowId: string): void {
    this.open(workflowId)?.deliver({ cancelWorkflow: { reason: 'asked' } });
  }

  /** `temporal workflow reset` to the n-th task that was completed, the first is 0. */
  reset(execution: Execution, task: number): void {
    const { type, workflowId, memo, input, originalRunId } = execution;
    // The open run of the id ends, which need not be the one that is taken up again.
    this.open(workflowId)?.terminate();
    execution.resetTo(task, this.#add({ type, workflowId, memo, input, originalRunId }));
  }

  executionClosed(execution: Execution): void {
    if (this.#running.get(execution.workflowId) === execution) this.#running.delete(execution.workflowId);
    const child = this.#parents.get(execution);
    if (child) {
      const result = { completed: { result: toPayload(execution.closed?.result ?? null) } };
      child.parent.deliver({ resolveChildWorkflowExecution: { seq: child.seq, result: result as never } });
    }
  }

  /** A child workflow, which here outlives or ends before its parent as it likes (ABANDON). */
  startChild(parent: Execution, asked: coresdk.workflow_commands.IStartChildWorkflowExecution): void {
    const seq = asked.seq!;
    const { workflowId = '', workflowType = '' } = asked as { workflowId?: string; workflowType?: string };
    try {
      const args = (asked.input ?? []).map((payload) => JSON.parse(Buffer.from((payload as Data).data).toString()));
      const child = this.start(workflowType, workflowId, args);
      this.#parents.set(child, { parent, seq });
      parent.deliver({ resolveChildWorkflowExecutionStart: { seq, succeeded: { runId: child.runId } } });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const failed = { workflowId, workflowType, cause: 1 };
      parent.deliver({ resolveChildWorkflowExecutionStart: { seq, failed: failed as never } });
    }
  }

  signalFrom(sender: Execution, asked: coresdk.workflow_commands.ISignalExternalWorkflowExecution): void {
    const target = this.open(asked.workflowExecution?.workflowId ?? asked.childWorkflowId ?? '');
    target?.deliver({ signalWorkflow: { signalName: asked.signalName ?? '', input: asked.args ?? [] } });
    const failure = target ? {} : { failure: { message: 'not found', applicationFailureInfo: { type: 'NotFound' } } };
    sender.deliver({ resolveSignalExternalWorkflow: { seq: asked.seq!, ...failure } });
  }
}

type Data = { data: Uint8Array };
interface CreateOptions {
  workflowId: string;
  runId: string;
  originalRunId: string;
  type: string;
  seed: number[];
  startedAt: number;
}
