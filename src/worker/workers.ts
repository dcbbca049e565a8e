import { hostname } from 'node:os';
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
  /** Hears the order to shut down; undefined where the process does more than work, and refuses to. */
  onShutdownOrder: (() => void) | undefined;
}

/** A worker for each of Temporal's task queues that is served or could be, and one that hears what the process is told. */
export async function createWorkers(options: WorkersOptions): Promise<Workers> {
  const { queues, onShutdownOrder } = options;
  const identity = `${process.pid}@${hostname()}`;
  // Also of those of Hapax's own tasks that are not served: the process may be told to.
  const known = new Set<string>([...BUILT_IN_QUEUES, ...queues.keys()]);
  known.delete(WORKFLOW_QUEUE);
  const slots = new Map(
    [...known].map((queue) => [queue, new Slots(queues.get(queue)?.size ?? options.concurrency, queues.has(queue))]),
  );
  const stopping = new AbortController();
  const control = createControl(slots, onShutdownOrder);
  const builds = queues.get(WORKFLOW_QUEUE);
  const workers = await Promise.all([
    ...(builds === undefined
      ? []
      : [
          createBuildWorker({ ...options, concurrency: builds.size }),
          createCallbackWorker({ ...options, stopping: stopping.signal }),
        ]),
    ...[...slots].map(([queue, slots]) =>
      createTaskWorker(options, {
        ...{ queue, identity, slots, perSecond: queues.get(queue)?.perSecond, rules: control.rulesOf(queue) },
      }),
    ),
    ...createControlWorkers({ ...placeOf(options), identity }, control.activities),
  ]);
  const shutdown = () => {
    stopping.abort();
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    identity,
    shutdown,
    pause(paused) {
      for (const [queue, one] of slots) one.isPaused = paused.has(queue);
    },
    async run() {
      const running = workers.map((worker) => worker.run());
      try {
        await Promise.all(running);
      } finally {
        // One that broke takes the others along.
        shutdown();
        await Promise.allSettled(running);
      }
    },
  };
}
