import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';

/**
 * Starts a workflow that outlives the one that starts it; its outcome changes nothing here. Does nothing if a workflow was started
 * under this id before, for example by a run before a reset.
 */
export async function beginApart<Input>(
  workflow: (input: Input) => Promise<unknown>,
  input: Input,
  { workflowId, staticSummary }: { workflowId: string; staticSummary: string },
): Promise<void> {
  try {
    await startChild(workflow, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
