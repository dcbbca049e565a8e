import type { Client } from '@temporalio/client';
import {
  SUBSCRIPTION_CHANGED_SIGNAL,
  SUBSCRIPTION_WORKFLOW,
  type SubscriptionInput,
  subscriptionWorkflowId,
} from '../../contracts/subscriptions/subscription-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../contracts/tasks/task-queues.ts';
import { startWorkflow, temporalFault } from '../lifecycle/start-workflow.ts';
import type { SubscriptionDependencies } from './subscription-dependencies.ts';

const TIMEOUT_MS = 10_000;

/** Starts the workflow of a subscription; returns false if it runs already. @throws {Refusal} */
export function startSubscription(client: Client, id: string): Promise<boolean> {
  const options = { workflowId: subscriptionWorkflowId(id), staticSummary: `subscription ${id}` };
  return startWorkflow({ client }, SUBSCRIPTION_WORKFLOW, { id } as never, 'ALLOW_DUPLICATE', options);
}

/**
 * Makes a subscription deliver as the record now says: starts its workflow, or makes the running one look again. If Temporal is away, the
 * next comparison does so.
 * @throws {Refusal} if Temporal refuses it.
 */
export async function wakeSubscription(
  { client, reconcileSoon }: Pick<SubscriptionDependencies, 'client' | 'reconcileSoon'>,
  id: string,
): Promise<void> {
  const input: SubscriptionInput = { id };
  const wake = () =>
    client.workflow.signalWithStart(SUBSCRIPTION_WORKFLOW, {
      workflowId: subscriptionWorkflowId(id),
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [input],
      signal: SUBSCRIPTION_CHANGED_SIGNAL,
      staticSummary: `subscription ${id}`,
    });
  try {
    await client.withDeadline(Date.now() + TIMEOUT_MS, wake);
  } catch (error) {
    const fault = temporalFault(error);
    if (fault.code !== 'temporal_unavailable') throw fault;
    reconcileSoon?.();
  }
}
