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
  /** The tasks that the worker can run. */
  code: TaskCode;
  /** Counts how tasks end; undefined: nothing is counted. */
  meter?: ActivityMeter | undefined;
}

/** The parts that differ from queue to queue. */
export interface TaskWorkerParts {
  queue: string;
  identity: string;
  slots: Slots;
  /** How many tasks may begin within a second, on all workers together; undefined: no limit. */
  perSecond?: number | undefined;
  rules: TaskRules;
}

/** The tuner requires a value that a worker without workflows does not use. */
const UNUSED = { type: 'fixed-size', numSlots: 1 } as const;

/** Creates a worker for the tasks of a queue. It runs no workflows: an idle one costs little memory. */
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
    // Each poll takes a slot while it waits, so there are never more polls than slots.
    maxConcurrentActivityTaskPolls: 2,
    // The server keeps this limit for all workers of the queue; the last value that one of them set counts.
    ...(perSecond === undefined ? {} : { maxTaskQueueActivitiesPerSecond: perSecond }),
    // Heartbeats bring revocations; by default the SDK holds them back for up to 80 % of their timeout.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    // Work that takes longer is stopped; another worker starts it again from its last progress.
    shutdownGraceTime: '10s',
    shutdownForceTime: '20s',
  });
}
