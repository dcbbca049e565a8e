import workerThreads from 'node:worker_threads';

const { Worker } = workerThreads;
const PRELOADED = new URL('workflow-thread-preload.ts', import.meta.url).href;

/**
 * A thread that the Temporal SDK starts. Threads that run workflows load `workflow-thread-preload.ts` first (ADR 15); the SDK has no
 * option for this.
 */
class SdkThread extends Worker {
  constructor(file: string | URL, options: ConstructorParameters<typeof Worker>[1] = {}) {
    const runsWorkflows = /[\\/]workflow-worker-thread(\.js)?$/.test(String(file));
    super(file, runsWorkflows ? { ...options, execArgv: ['--import', PRELOADED] } : options);
  }
}

// Only CommonJS modules, such as the SDK's, read the class from this object. Modules that import it by name get Node's own.
workerThreads.Worker = SdkThread;
