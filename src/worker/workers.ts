import type { WorkerQueueName } from '../contracts/task-queues.ts';
import { type CallbackWorkerOptions, createCallbackWorker } from './callback-worker.ts';
import { createTaskWorker, type TaskWorkerOptions } from './task-worker.ts';
import { createBuildWorker, type WorkerOptions } from './worker.ts';

/** The workers of a process, as one. */
export interface Workers {
  /** Polls until `shutdown()`; returns when all that ran has ended. Close the store only after that. */
  run(): Promise<void>;
  shutdown(): void;
}

export interface WorkersOptions extends Omit<WorkerOptions, 'concurrency'>, CallbackWorkerOptions, TaskWorkerOptions {
  /** What is served, and how much of it at once. */
  queues: ReadonlyMap<WorkerQueueName, number>;
}

/** A worker for each of Temporal's task queues that is served. */
export async function createWorkers(options: WorkersOptions): Promise<Workers> {
  const creating = [...options.queues].flatMap(([queue, concurrency]) =>
    queue === 'workflows'
      ? [createBuildWorker({ ...options, concurrency }), createCallbackWorker(options)]
      : [createTaskWorker(options, queue, concurrency)],
  );
  const workers = await Promise.all(creating);
  const shutdown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    shutdown,
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
