import './workflow-threads.ts';
import { Worker } from '@temporalio/worker';
import { type ActivityDependencies, createActivities } from '../activities/index.ts';
import { WORKFLOW_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import { workflowBundle } from './bundle.ts';
import { placeOf, type WorkerPlace } from './place.ts';

export interface WorkerOptions extends WorkerPlace, ActivityDependencies {
  /** How many calls to GitHub run at once. */
  concurrency: number;
  /** The version of the workflow code; undefined: Temporal gives any workflow to any worker. */
  version?: { deploymentName: string; buildId: string } | undefined;
}

/** Creates a worker for builds. It polls once `run()` is called. Close the store only after `run()` has returned. */
export async function createBuildWorker(options: WorkerOptions): Promise<Worker> {
  const { concurrency, version } = options;
  return Worker.create({
    ...placeOf(options),
    taskQueue: WORKFLOW_TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundle() },
    activities: createActivities(options),
    maxConcurrentActivityTaskExecutions: concurrency,
    // Local activities append events, which are short queries. So there may be as many as the pool can queue.
    maxConcurrentLocalActivityExecutions: 100,
    maxConcurrentWorkflowTaskExecutions: 40,
    maxConcurrentActivityTaskPolls: Math.min(concurrency, 5),
    maxConcurrentWorkflowTaskPolls: 5,
    // A workflow moves to the current version at its next step: patches let newer code continue it, so none waits for an old worker.
    ...(version && {
      workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' },
    }),
    // About 0.3 MB each (408 MB with 500, 331 with 200). A workflow that was evicted is replayed, which costs a read of its history.
    maxCachedWorkflows: 300,
    // The workflows of a killed worker wait this long (default 10 s); a live worker responds in milliseconds.
    stickyQueueScheduleToStartTimeout: '3s',
    // An open dispatch gets its response. With the default, 0, a SIGTERM would make it ambiguous.
    shutdownGraceTime: '20s',
    shutdownForceTime: '25s',
  });
}
