import type { Client } from '@temporalio/client';
import { describeTaskQueue, TASK_QUEUE_TYPES, TIMEOUT_MS } from './describe-task-queue.ts';

/** Why Temporal's limit of a task queue is 0, and the limit that it replaced, in tasks a second. */
const HELD = /^paused in Hapax(?:; before: ([\d.e+-]+))?$/;

/**
 * Stops Temporal from giving activities of a task queue to any worker, or sets back the limit that the queue had before. Changes nothing
 * if that was done already. Needs Temporal 1.29 or newer.
 * @throws what the calls to Temporal throw.
 */
export async function holdTaskQueue(client: Client, taskQueue: string, isHeld: boolean): Promise<void> {
  const { config } = await describeTaskQueue(client, taskQueue, 'activity');
  const { rateLimit, metadata } = config?.queueRateLimit ?? {};
  const held = rateLimit?.requestsPerSecond === 0 ? HELD.exec(metadata?.reason ?? '') : null;
  if (isHeld === (held !== null)) return;
  const before = isHeld ? rateLimit?.requestsPerSecond : held?.[1];
  const updateQueueRateLimit = isHeld
    ? {
        rateLimit: { requestsPerSecond: 0 },
        reason: before == null ? 'paused in Hapax' : `paused in Hapax; before: ${before}`,
      }
    : { ...(before == null ? {} : { rateLimit: { requestsPerSecond: Number(before) } }), reason: 'resumed in Hapax' };
  await client.withDeadline(Date.now() + TIMEOUT_MS, () =>
    client.workflowService.updateTaskQueueConfig({
      namespace: client.options.namespace,
      identity: client.options.identity,
      taskQueue,
      taskQueueType: TASK_QUEUE_TYPES.activity,
      updateQueueRateLimit,
    }),
  );
}
