import type { Client } from '@temporalio/client';
import { Refusal } from '../refusal.ts';

/** What a worker polls for, as Temporal's TaskQueueType. */
export const TASK_QUEUE_TYPES = { workflow: 1, activity: 2 } as const;
export type PollKind = keyof typeof TASK_QUEUE_TYPES;

export const TIMEOUT_MS = 2_500;

/** Describes a task queue as Temporal knows it: who polls, how much waits, and its limits. @throws what the call to Temporal throws. */
export function describeTaskQueue(client: Client, name: string, kind: PollKind) {
  return client.withDeadline(Date.now() + TIMEOUT_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name },
      taskQueueType: TASK_QUEUE_TYPES[kind],
      reportStats: true,
      reportConfig: true,
    }),
  );
}

/** Returns the result of a query to Temporal. @throws {Refusal} if it cannot be reached. */
export function orUnavailable<Answer>(asked: Promise<Answer>): Promise<Answer> {
  return asked.catch((cause: unknown) => {
    throw temporalUnavailable(cause);
  });
}

/** Returns the refusal for a failed query to Temporal. Asking again does no harm. */
export function temporalUnavailable(cause: unknown): Refusal {
  return new Refusal('temporal_unavailable', { detail: 'try again', retryAfterSeconds: 5, cause });
}
