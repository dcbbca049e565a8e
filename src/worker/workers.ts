import { type CallbackWorkerOptions, createCallbackWorker } from './callback-worker.ts';
import { createBuildWorker, type WorkerOptions } from './worker.ts';

/** The workers of a process, as one. */
export interface Workers {
  /** Polls until `shutdown()`; returns when all that ran has ended. Close the store only after that. */
  run(): Promise<void>;
  shutdown(): void;
}

/** A worker for each of Temporal's task queues. */
export async function createWorkers(options: WorkerOptions & CallbackWorkerOptions): Promise<Workers> {
  const workers = await Promise.all([createBuildWorker(options), createCallbackWorker(options)]);
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
