import type { Settings } from '../contracts/settings.ts';
import { WORKER_QUEUE_NAMES, type WorkerQueueName } from '../contracts/tasks/task-queues.ts';

/** What a worker serves at once of each queue, by deployment mode (seed 000). */
const DEFAULT_CONCURRENCY = { laptop: 1, cloud: 4 } as const;

/** The queues that a worker serves and how much of each at once, and of one for which nothing else is said. */
export function queuesOf(settings: Settings): { queues: ReadonlyMap<WorkerQueueName, number>; concurrency: number } {
  const concurrency = settings.WORKER_CONCURRENCY ?? DEFAULT_CONCURRENCY[settings.DEPLOYMENT_MODE];
  const served = settings.WORKER_QUEUES ?? new Map(WORKER_QUEUE_NAMES.map((name) => [name, undefined]));
  return { queues: new Map([...served].map(([name, own]) => [name, own ?? concurrency])), concurrency };
}
