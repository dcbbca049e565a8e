import type { TaskHandlers } from '../activities/task-handlers.ts';
import type { Settings } from '../contracts/settings.ts';
import { TASK_NAMES, WORKER_QUEUE_NAMES, type WorkerQueueName } from '../contracts/task-queues.ts';
import { PermanentTaskError } from '../domain/task-error.ts';

/** What a worker serves at once of each queue, by deployment mode (seed 000). */
const DEFAULT_CONCURRENCY = { laptop: 1, cloud: 4 } as const;

/** The queues that a worker serves, and how much of each at once. */
export function queuesOf(settings: Settings): ReadonlyMap<WorkerQueueName, number> {
  const usual = settings.WORKER_CONCURRENCY ?? DEFAULT_CONCURRENCY[settings.DEPLOYMENT_MODE];
  const served = settings.WORKER_QUEUES ?? new Map(WORKER_QUEUE_NAMES.map((name) => [name, undefined]));
  return new Map([...served].map(([name, concurrency]) => [name, concurrency ?? usual]));
}

/** The work of each task. */
export function taskHandlers(): TaskHandlers {
  const missing = TASK_NAMES.map((name) => [
    name,
    async () => {
      throw new PermanentTaskError({ type: 'NotImplementedError', message: `${name} is not there yet` });
    },
  ]);
  return Object.fromEntries(missing) as TaskHandlers;
}
