import { type NativeConnection, Worker } from '@temporalio/worker';
import { createCallbackActivities } from '../activities/index.ts';
import { CALLBACK_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import type { CallbackSender } from '../integrations/callback-sender.ts';
import type { Db } from '../store/database.ts';

export interface CallbackWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  db: Db;
  sender: CallbackSender;
}

/** Tries under way at once, per process: each is a socket that mostly waits, at most 15 s. */
const CONCURRENCY = 20;

/** A worker that sends callbacks and runs no workflows, so it takes neither slots nor memory of theirs. */
export function createCallbackWorker({ connection, namespace, db, sender }: CallbackWorkerOptions): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: CALLBACK_TASK_QUEUE,
    activities: createCallbackActivities({ db, sender }),
    maxConcurrentActivityTaskExecutions: CONCURRENCY,
    maxConcurrentActivityTaskPolls: 2,
    // Lets a try that is out get its answer, as long as it may take.
    shutdownGraceTime: '20s',
    shutdownForceTime: '25s',
  });
}
