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
  /** Aborted when the worker is to stop: what delivers to subscriptions would go on until then. */
  stopping: AbortSignal;
}

/** Callbacks under way at once, per process: each is a socket that mostly waits, at most 15 s. */
const CALLBACKS = 20;

/** A worker that sends callbacks and runs no workflows, so it takes neither slots nor memory of theirs. */
export function createCallbackWorker(options: CallbackWorkerOptions): Promise<Worker> {
  const { db, sender, stopping } = options;
  return Worker.create({
    ...placeOf(options),
    taskQueue: CALLBACK_TASK_QUEUE,
    activities: createCallbackActivities({ db, sender, stopping }),
    // Each subscription is one activity for as long as its receiver takes what it is sent.
    maxConcurrentActivityTaskExecutions: CALLBACKS + LIMITS.subscriptions.count,
    maxConcurrentActivityTaskPolls: 2,
    // Lets a try that is out get its answer, as long as it may take.
    shutdownGraceTime: '20s',
    shutdownForceTime: '25s',
  });
}
