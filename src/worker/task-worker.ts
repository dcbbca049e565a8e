import { hostname } from 'node:os';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createTaskActivities } from '../activities/index.ts';
import type { TaskHandlers } from '../activities/task-handlers.ts';
import { type TaskQueueName, taskQueueOf } from '../contracts/task-queues.ts';
import type { Db } from '../store/database.ts';

export interface TaskWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  db: Db;
  handlers: TaskHandlers;
}

/** A worker for the tasks of a queue, so many at once. It runs no workflows: an idle one costs little memory. */
export function createTaskWorker(
  { connection, namespace, db, handlers }: TaskWorkerOptions,
  queue: TaskQueueName,
  concurrency: number,
): Promise<Worker> {
  const identity = `${process.pid}@${hostname()}`;
  return Worker.create({
    connection,
    namespace,
    identity,
    taskQueue: taskQueueOf(queue),
    activities: createTaskActivities(db, handlers, identity),
    maxConcurrentActivityTaskExecutions: concurrency,
    maxConcurrentActivityTaskPolls: Math.min(concurrency, 2),
    // Heartbeats bring revocations; by default they would be held back for as long as 80 % of their timeout.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    // Work that takes longer is stopped, and begun again by another worker from its last progress.
    shutdownGraceTime: '10s',
    shutdownForceTime: '20s',
  });
}
