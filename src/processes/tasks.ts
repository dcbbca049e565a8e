import type { Settings } from '../contracts/settings.ts';
import { BUILT_IN_QUEUES, WORKFLOW_QUEUE } from '../contracts/tasks/task-queues.ts';
import { ALL_QUEUES } from '../contracts/tasks/task-settings.ts';
import type { QueueSize } from '../worker/workers.ts';

/** How much a worker serves at once of each queue, by deployment mode (seed 000). */
const DEFAULT_CONCURRENCY = { laptop: 1, cloud: 4 } as const;

/**
 * Returns the queues that a worker serves with the size of each, and the default size.
 * @param own queues of the user's own tasks.
 */
export function queuesOf(
  settings: Settings,
  own: readonly string[] = [],
): { queues: ReadonlyMap<string, QueueSize>; concurrency: number; servesOthers: boolean } {
  const usual = settings.WORKER_CONCURRENCY ?? DEFAULT_CONCURRENCY[settings.DEPLOYMENT_MODE];
  const { [ALL_QUEUES]: all, ...named } = Object.fromEntries(
    settings.WORKER_QUEUES ?? [[ALL_QUEUES, { concurrency: undefined, perSecond: undefined }]],
  );
  const others = all ? [WORKFLOW_QUEUE, ...BUILT_IN_QUEUES, ...own].map((name) => [name, all] as const) : [];
  const served = new Map([...others, ...Object.entries(named)]);
  const queues = [...served].map(([name, { concurrency, perSecond }]) => {
    return [name, { size: concurrency ?? all?.concurrency ?? usual, perSecond }] as const;
  });
  return { queues: new Map(queues), concurrency: all?.concurrency ?? usual, servesOthers: all !== undefined };
}
