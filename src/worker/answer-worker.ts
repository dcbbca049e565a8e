import { Worker } from '@temporalio/worker';
import { createAnswerActivities } from '../activities/index.ts';
import { ANSWER_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import type { ReplyWays } from '../integrations/celery/publishing.ts';
import type { Db } from '../store/database.ts';
import { placeOf, type WorkerPlace } from './place.ts';

export interface AnswerWorkerOptions extends WorkerPlace {
  db: Db;
  ways: ReplyWays;
}

/** How many replies are sent at the same time: each waits some milliseconds for a confirmation from RabbitMQ or Redis. */
const CONCURRENCY = 20;

/** Creates the bridge's worker. It sends the ends of tasks to the senders of their messages, and runs no workflows. */
export function createAnswerWorker({ db, ways, ...place }: AnswerWorkerOptions): Promise<Worker> {
  return Worker.create({
    ...placeOf(place),
    taskQueue: ANSWER_TASK_QUEUE,
    activities: createAnswerActivities({ db, ways }),
    maxConcurrentActivityTaskExecutions: CONCURRENCY,
    maxConcurrentActivityTaskPolls: 2,
    shutdownGraceTime: '5s',
    shutdownForceTime: '10s',
  });
}
