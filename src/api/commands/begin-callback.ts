import type { Client } from '@temporalio/client';
import { CALLBACK_WORKFLOW, type CallbackInput, callbackWorkflowId } from '../../contracts/callback-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../contracts/task-queues.ts';
import type { callback } from '../../workflows/index.ts';
import { startedFirst } from './start-build.ts';

/**
 * Begins the callback about an ending that no workflow can tell, since the API recorded it itself. A second one about the
 * same ending is none. @throws {ApiError} where Temporal cannot be reached.
 */
export async function beginCallback(client: Client, input: CallbackInput): Promise<void> {
  await startedFirst(client, () =>
    client.workflow.start<typeof callback>(CALLBACK_WORKFLOW, {
      workflowId: callbackWorkflowId(input),
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `callback about ${input.subject}`,
    }),
  );
}
