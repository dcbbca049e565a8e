import { hostname } from 'node:os';
import type { Worker } from '@temporalio/worker';
import { BUILT_IN_QUEUES, WORKFLOW_QUEUE } from '../contracts/tasks/task-queues.ts';
import { type CallbackWorkerOptions, createCallbackWorker } from './callback-worker.ts';
import { createControl } from './control.ts';
import { createControlWorkers } from './control-worker.ts';
import { placeOf } from './place.ts';
import { Slots } from './slots.ts';
import { createTaskWorker, type TaskWorkerOptions } from './task-worker.ts';
import { createBuildWorker, type WorkerOptions } from './worker.ts';

/** The workers of a process, as one. */
export interface Workers {
  /** The process, as Temporal and the record know it. */
  readonly identity: string;
  /** Polls until `shutdown()`; returns when all that ran has ended. Close the store only after that. */
  run(): Promise<void>;
  shutdown(): void;
  /** Serves a queue from now on, unless it is served or WORKER_QUEUES leaves it out. */
  serve(queue: string): Promise<void>;
  /** Limits how fast tasks of a name begin, as `10/m`; an empty text: not at all. */
  limitRate(task: string, rate: string): void;
  /** Takes no tasks from these queues, and from all others as before. */
  pause(queues: ReadonlySet<string>): void;
}

/** How much of a queue a process serves. */
export interface QueueSize {
  /** At once. */
  size: number;
  /** Tasks that may begin within a second, on all workers together; undefined: no limit. */
  perSecond: number | undefined;
}

export interface WorkersOptions
  extends Omit<WorkerOptions, 'concurrency'>,
    Omit<CallbackWorkerOptions, 'stopping'>,
    TaskWorkerOptions {
  /** What is served, and how much of it at once. */
  queues: ReadonlyMap<string, QueueSize>;
  /** How much at once of a queue that it is told to serve later. */
  concurrency: number;
  /** Whether it serves queues that come up later. */
  servesOthers: boolean;
  /** Hears the order to shut down; undefined where the process does more than work, and refuses to. */
  onShutdownOrder: (() => void) | undefined;
}

/** A worker for each of Temporal's task queues that is served or could be, and one that hears what the process is told. */
export async function createWorkers(options: WorkersOptions): Promise<Workers> {
  const { queues, onShutdownOrder } = options;
  const identity = `${process.pid}@${hostname()}`;
  const slots = new Map<string, Slots>();
  const stopping = new AbortController();
  let paused: ReadonlySet<string> = new Set();
  const working = new Map<Worker, Promise<void>>();
  const waiting: Worker[] = [];
  let broken: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    broken = reject;
  });
  failed.catch(() => {});
  const begin = (worker: Worker) => {
    const running = worker.run();
    running.catch(broken);
    working.set(worker, running);
  };
  let runs = false;
  // One that is added while the process stops never polls.
  const add = (worker: Worker) => (runs && !stopping.signal.aborted ? begin(worker) : waiting.push(worker));
  /** A worker of a queue; where it is closed, the process may be told to serve it. */
  const open = async (queue: string, isOpen: boolean): Promise<void> => {
    const own = new Slots(queues.get(queue)?.size ?? options.concurrency, isOpen);
    own.isPaused = paused.has(queue);
    slots.set(queue, own);
    const perSecond = queues.get(queue)?.perSecond;
    add(await createTaskWorker(options, { queue, identity, slots: own, perSecond, rules: control.rulesOf(queue) }));
  };
  const control = createControl(slots, open, onShutdownOrder);
  const builds = queues.get(WORKFLOW_QUEUE);
  const tasks = new Set<string>([...BUILT_IN_QUEUES, ...queues.keys()]);
  tasks.delete(WORKFLOW_QUEUE);
  const others = await Promise.all([
    ...(builds === undefined
      ? []
      : [
          createBuildWorker({ ...options, concurrency: builds.size }),
          createCallbackWorker({ ...options, stopping: stopping.signal }),
        ]),
    ...createControlWorkers({ ...placeOf(options), identity }, control.activities),
    ...[...tasks].map((queue) => open(queue, queues.has(queue))),
  ]);
  for (const worker of others) if (worker) add(worker);
  const shutdown = () => {
    stopping.abort();
    for (const worker of working.keys()) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    identity,
    shutdown,
    async serve(queue) {
      if (!slots.has(queue) && options.servesOthers && !stopping.signal.aborted) await open(queue, true);
    },
    limitRate: (task, rate) => void control.activities.limitRate({ task, rate }),
    pause(queues) {
      paused = queues;
      for (const [queue, one] of slots) one.isPaused = paused.has(queue);
    },
    async run() {
      runs = true;
      for (const worker of waiting.splice(0)) begin(worker);
      try {
        await Promise.race([Promise.all(working.values()), failed]);
      } finally {
        // One that broke takes the others along.
        shutdown();
        await Promise.allSettled(working.values());
      }
    },
  };
}
