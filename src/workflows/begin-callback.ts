import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { type CallbackInput, callbackWorkflowId } from '../contracts/callback-workflow.ts';
import { callback } from './callback.ts';

/**
 * Begins the callback about an ending as a workflow of its own: it outlives the one that begins it, and whatever becomes
 * of it changes nothing there. A second one about the same ending, as after a reset, is none.
 */
export async function beginCallback(input: CallbackInput): Promise<void> {
  try {
    await startChild(callback, {
      workflowId: callbackWorkflowId(input),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: `callback about ${input.subject}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
