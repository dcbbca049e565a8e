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

/** Answers under way at once: each waits for a confirmation of RabbitMQ or Redis, some milliseconds. */
const CONCURRENCY = 20;

/** A worker of the bridge: it tells senders of messages how their tasks ended, and runs no workflows. */
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
