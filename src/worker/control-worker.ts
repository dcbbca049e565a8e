import { Worker } from '@temporalio/worker';
import { controlTaskQueueOf, ROLL_CALL_TASK_QUEUE, type WorkerControl } from '../contracts/tasks/worker-control.ts';
import { placeOf, type WorkerPlace } from './place.ts';

export interface ControlWorkerOptions extends WorkerPlace {
  identity: string;
}

/**
 * Two workers of next to nothing, beside those that work: one hears what is told to this process, and one only polls, so that
 * Temporal lists the process also while all its slots are taken, or no queue is served.
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
    // Long enough for the answer to the order to shut down.
    shutdownGraceTime: '2s',
    shutdownForceTime: '5s',
  };
  return [
    Worker.create({ ...shared, taskQueue: controlTaskQueueOf(identity), activities: { ...activities } }),
    // A worker without activities does not poll.
    Worker.create({ ...shared, taskQueue: ROLL_CALL_TASK_QUEUE, activities: { present: async () => {} } }),
  ];
}
