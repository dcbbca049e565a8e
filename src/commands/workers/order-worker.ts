import { randomUUID } from 'node:crypto';
import { ActivityExecutionFailedError, type Client } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import { controlTaskQueueOf, type WorkerControl } from '../../contracts/tasks/worker-control.ts';
import { temporalUnavailable } from './describe-task-queue.ts';

type OrderName = keyof WorkerControl;

/** A worker's reply; `gone`: no worker of that name polls any more; `silent`: it took the order and does not reply. */
export type OrderOutcome<Name extends OrderName> =
  | { kind: 'replied'; reply: Awaited<ReturnType<WorkerControl[Name]>> }
  | { kind: 'gone' }
  | { kind: 'silent' };

/** A running worker takes an order within milliseconds. One that is down must not find the order when it starts again. */
const TAKEN_WITHIN_MS = 2_000;
const DONE_WITHIN_MS = 3_000;

/**
 * Sends an order to a running worker process, and waits for its reply. The order is an activity without a workflow, on the
 * task queue of this process alone (Temporal 1.32).
 * @param worker its identity.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function orderWorker<Name extends OrderName>(
  client: Client,
  worker: string,
  name: Name,
  args: Parameters<WorkerControl[Name]>,
): Promise<OrderOutcome<Name>> {
  try {
    const reply = await client.withDeadline(Date.now() + TAKEN_WITHIN_MS + DONE_WITHIN_MS + 1_000, () =>
      client.activity.execute(name, {
        id: `worker-order-${randomUUID()}`,
        taskQueue: controlTaskQueueOf(worker),
        args,
        scheduleToStartTimeout: TAKEN_WITHIN_MS,
        startToCloseTimeout: DONE_WITHIN_MS,
        retry: { maximumAttempts: 1 },
        summary: `${name} ${worker}`,
      }),
    );
    return { kind: 'replied', reply };
  } catch (error) {
    if (!(error instanceof ActivityExecutionFailedError)) throw temporalUnavailable(error);
    const { cause } = error;
    const wasTaken = !(cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START');
    return { kind: wasTaken ? 'silent' : 'gone' };
  }
}
