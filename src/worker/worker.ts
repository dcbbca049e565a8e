import './workflow-threads.ts';
import { Worker } from '@temporalio/worker';
import type { CheckpointOptions } from '../activities/checkpoints.ts';
import { createActivities } from '../activities/index.ts';
import type { ActivityMeter } from '../activities/meter.ts';
import type { FireScheduled } from '../activities/schedules.ts';
import { WORKFLOW_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import type { Forges } from '../integrations/forges/forges.ts';
import type { Db } from '../store/database.ts';
import { workflowBundle } from './bundle.ts';
import { placeOf, type WorkerPlace } from './place.ts';

export interface WorkerOptions extends WorkerPlace {
  db: Db;
  forges: Pick<Forges, 'of'>;
  /** Fires a time of a schedule. */
  fire: FireScheduled;
  /** How checkpoints of the log are made; undefined for none. */
  checkpoints?: CheckpointOptions | undefined;
  /** Calls to GitHub at once. */
  concurrency: number;
  /** Unset: nobody counts what the activities do. */
  meter?: ActivityMeter;
}

/** A worker for builds, polling once `run()` is called. Close the store only after `run()` has returned. */
export async function createBuildWorker({
  db,
  forges,
  fire,
  checkpoints,
  concurrency,
  meter,
  ...place
}: WorkerOptions): Promise<Worker> {
  return Worker.create({
    ...placeOf(place),
    taskQueue: WORKFLOW_TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundle() },
    activities: createActivities({ db, forges, fire, checkpoints, meter }),
    maxConcurrentActivityTaskExecutions: concurrency,
    // Appending an event is what local activities do here: a short query, so as many as the pool can queue.
    maxConcurrentLocalActivityExecutions: 100,
    maxConcurrentWorkflowTaskExecutions: 40,
    maxConcurrentActivityTaskPolls: Math.min(concurrency, 5),
    maxConcurrentWorkflowTaskPolls: 5,
    // About 0.3 MB each (408 MB with 500, 331 with 200); one that fell out is replayed, which costs a read of its history.
    maxCachedWorkflows: 300,
    // A killed worker keeps its workflows for this long (default 10 s); a live one answers in milliseconds.
    stickyQueueScheduleToStartTimeout: '3s',
    // Lets a dispatch that is out get its answer (the default is 0: a SIGTERM would make it ambiguous).
    shutdownGraceTime: '20s',
    shutdownForceTime: '25s',
  });
}
