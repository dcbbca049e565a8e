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

/** All workers of a process. */
export interface Workers {
  /** The process's name in Temporal and in the record. */
  readonly identity: string;
  /** Polls until `shutdown()`; returns when everything that ran has ended. Close the store only after that. */
  run(): Promise<void>;
  shutdown(): void;
  /** Serves a queue from now on, unless it is already served or WORKER_QUEUES leaves it out. */
  serve(queue: string): Promise<void>;
  /** Limits how fast tasks of a name begin, such as `10/m`; an empty text removes the limit. */
  limitRate(task: string, rate: string): void;
  /** Stops taking tasks from these queues. All others go on. */
  pause(queues: ReadonlySet<string>): void;
}

/** How much of a queue a process takes. */
export interface QueueSize {
  /** How many tasks run at the same time. */
  size: number;
  /** How many tasks may begin within a second, on all workers together; undefined: no limit. */
  perSecond: number | undefined;
}

export interface WorkersOptions
  extends Omit<WorkerOptions, 'concurrency'>,
    Omit<CallbackWorkerOptions, 'stopping'>,
    TaskWorkerOptions {
  /** The queues that are served, each with its size. */
  queues: ReadonlyMap<string, QueueSize>;
  /** The size of queues that are added later. */
  concurrency: number;
  /** Whether the process serves queues that appear later. */
  servesOthers: boolean;
  /** Called on the command to shut down; undefined if the process is more than a worker, and so refuses. */
  onShutdownOrder: (() => void) | undefined;
}

/** Creates a worker for each task queue of Temporal that is or could be served, and those for commands to the process. */
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
  // A worker that is added while the process stops never polls.
  const add = (worker: Worker) => (runs && !stopping.signal.aborted ? begin(worker) : waiting.push(worker));
  /** Adds the worker of a queue. A closed one can be opened by a command. */
  const open = async (queue: string, isOpen: boolean): Promise<void> => {
    const own = new Slots(queues.get(queue)?.size ?? options.concurrency, isOpen);
    own.change({ isPaused: paused.has(queue) });
    slots.set(queue, own);
    const perSecond = queues.get(queue)?.perSecond;
    try {
      add(await createTaskWorker(options, { queue, identity, slots: own, perSecond, rules: control.rulesOf(queue) }));
    } catch (error) {
      // Otherwise it would count as served, and nobody would try again.
      slots.delete(queue);
      throw error;
    }
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
      for (const [queue, one] of slots) one.change({ isPaused: paused.has(queue) });
    },
    async run() {
      runs = true;
      for (const worker of waiting.splice(0)) begin(worker);
      try {
        await Promise.race([Promise.all(working.values()), failed]);
      } finally {
        // If one breaks, all end.
        shutdown();
        await Promise.allSettled(working.values());
      }
    },
  };
}
