import { Worker } from '@temporalio/worker';
import { controlTaskQueueOf, ROLL_CALL_TASK_QUEUE, type WorkerControl } from '../contracts/tasks/worker-control.ts';
import { placeOf, type WorkerPlace } from './place.ts';

export interface ControlWorkerOptions extends WorkerPlace {
  identity: string;
}

/**
 * Creates two tiny workers. One receives commands for this process. One only polls, so that Temporal lists the process even
 * while all its slots are taken or it serves no queue.
 */
export function createControlWorkers(
  { identity, ...place }: ControlWorkerOptions,
  activities: WorkerControl,
): Array<Promise<Worker>> {
  const shared = {
    ...placeOf(place),
    identity,
    maxConcurrentActivityTaskExecutions: 1,
    maxConcurrentActivityTaskPolls: 1,
    // Long enough to confirm the command to shut down.
    shutdownGraceTime: '2s',
    shutdownForceTime: '5s',
  };
  return [
    Worker.create({ ...shared, taskQueue: controlTaskQueueOf(identity), activities: { ...activities } }),
    // A worker without activities does not poll.
    Worker.create({ ...shared, taskQueue: ROLL_CALL_TASK_QUEUE, activities: { present: async () => {} } }),
  ];
}
