import { proxyActivities } from '@temporalio/workflow';

/** What a task is to Temporal and no more: one activity, on another task queue than the workflow. */
export async function task({ queue, request }: { queue: string; request: unknown }): Promise<unknown> {
  const { work } = proxyActivities<{ work(request: unknown): Promise<{ result: unknown }> }>({
    taskQueue: queue,
    startToCloseTimeout: '630s',
    heartbeatTimeout: '15s',
  });
  const { result } = await work(request);
  return result;
}
