import { Worker } from '@temporalio/worker';
import { createTaskActivities } from '../activities/index.ts';
import type { ActivityMeter } from '../activities/meter.ts';
import type { TaskCode } from '../activities/task-code.ts';
import type { TaskRules } from '../activities/tasks.ts';
import { taskQueueOf } from '../contracts/tasks/task-queues.ts';
import type { Db } from '../store/database.ts';
import { placeOf, type WorkerPlace } from './place.ts';
import type { Slots } from './slots.ts';

export interface TaskWorkerOptions extends WorkerPlace {
  db: Db;
  /** The tasks that it can run. */
  code: TaskCode;
  /** Unset: nobody counts how tasks end. */
  meter?: ActivityMeter;
}

/** What is a queue's own. */
export interface TaskWorkerParts {
  queue: string;
  identity: string;
  slots: Slots;
  /** Tasks that may begin within a second, on all workers together; undefined: as many as there are. */
  perSecond?: number | undefined;
  rules: TaskRules;
}

/** What the tuner asks for, and a worker that has no workflows does not use. */
const UNUSED = { type: 'fixed-size', numSlots: 1 } as const;

/** A worker for the tasks of a queue. It runs no workflows: an idle one costs little memory. */
export function createTaskWorker(
  { db, code, meter, ...place }: TaskWorkerOptions,
  { queue, identity, slots, perSecond, rules }: TaskWorkerParts,
): Promise<Worker> {
  return Worker.create({
    ...placeOf(place),
    identity,
    taskQueue: taskQueueOf(queue),
    activities: createTaskActivities(db, code, identity, rules, meter),
    tuner: {
      activityTaskSlotSupplier: slots,
      workflowTaskSlotSupplier: UNUSED,
      localActivityTaskSlotSupplier: UNUSED,
      nexusTaskSlotSupplier: UNUSED,
    },
    // Each takes a slot while it waits, so no more than there are slots are out at once.
    maxConcurrentActivityTaskPolls: 2,
    // Kept by the server, for all workers of the queue: what one of them asked for last counts.
    ...(perSecond === undefined ? {} : { maxTaskQueueActivitiesPerSecond: perSecond }),
    // Heartbeats bring revocations; by default they would be held back for as long as 80 % of their timeout.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    // Work that takes longer is stopped, and begun again by another worker from its last progress.
    shutdownGraceTime: '10s',
    shutdownForceTime: '20s',
  });
}
