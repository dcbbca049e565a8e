import { Worker } from '@temporalio/worker';
import { createCallbackActivities } from '../activities/index.ts';
import { LIMITS } from '../contracts/budgets.ts';
import { CALLBACK_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import type { CallbackSender } from '../integrations/callback-sender.ts';
import type { Db } from '../store/database.ts';
import { placeOf, type WorkerPlace } from './place.ts';

export interface CallbackWorkerOptions extends WorkerPlace {
  db: Db;
  sender: CallbackSender;
  /** Aborted when the worker must stop. Deliveries to subscriptions go on until then. */
  stopping: AbortSignal;
}

/** How many callbacks each process sends at the same time. Each is a socket that mostly waits, for at most 15 s. */
const CALLBACKS = 20;

/** Creates a worker that sends callbacks. It runs no workflows, so it takes neither their slots nor their memory. */
export function createCallbackWorker(options: CallbackWorkerOptions): Promise<Worker> {
  const { db, sender, stopping } = options;
  return Worker.create({
    ...placeOf(options),
    taskQueue: CALLBACK_TASK_QUEUE,
    activities: createCallbackActivities({ db, sender, stopping }),
    // Each subscription is one activity as long as its receiver accepts deliveries.
    maxConcurrentActivityTaskExecutions: CALLBACKS + LIMITS.subscriptions.count,
    maxConcurrentActivityTaskPolls: 2,
    // As long as a request may take: the last one gets its response.
    shutdownGraceTime: '20s',
    shutdownForceTime: '25s',
  });
}
