import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';

/**
 * Begins a workflow that outlives the one that begins it: whatever becomes of it changes nothing here. Where it was begun
 * before under this id, as by a run before a reset, nothing happens.
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
