import { workflowInfo } from '@temporalio/workflow';
import type { BuildInput } from '../../contracts/builds/build-workflow.ts';

/**
 * Says whether another workflow run for this build, before a reset or before it was lost, may have sent something that this one does
 * not know of. The record then has what it intended.
 */
export function mayHaveSentBefore({ recovery }: BuildInput): boolean {
  const { runId, originalExecutionRunId } = workflowInfo();
  return recovery !== undefined || runId !== originalExecutionRunId;
}
