import { workflowInfo } from '@temporalio/workflow';

/**
 * Whether a run of this workflow before a reset may have sent something that this one does not know of; what was intended
 * then stands in the record.
 */
export function mayHaveSentBefore(): boolean {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId !== originalExecutionRunId;
}
