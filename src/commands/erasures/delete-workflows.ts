import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { temporalFault } from '../lifecycle/start-workflow.ts';
import { Refusal } from '../refusal.ts';

/** gRPC's NOT_FOUND. */
const NOT_FOUND = 5;

/**
 * Deletes everything that Temporal keeps about a workflow id: histories, memos and search attributes of every run. The
 * server does so a moment later. Ignores what is already gone.
 * @param ends whether to delete an open run too, instead of refusing.
 * @throws {Refusal} 409 while a run is open; 503 if Temporal cannot be reached.
 */
export async function deleteWorkflows(client: Client, workflowId: string, ends = false): Promise<void> {
  try {
    const runs = new Set<string>();
    const latest = await client.workflow.getHandle(workflowId).describe();
    if (latest.status.name === 'RUNNING' && !ends) {
      const detail = `the workflow ${workflowId} is still open; try again when it has closed`;
      throw new Refusal('state_conflict', { detail });
    }
    runs.add(latest.runId);
    for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${quoted(workflowId)}'` }))
      runs.add(runId);
    for (const runId of runs) await deleteRun(client, { workflowId, runId });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return;
    throw error instanceof Refusal ? error : temporalFault(error);
  }
}

async function deleteRun(client: Client, workflowExecution: { workflowId: string; runId: string }): Promise<void> {
  const { namespace } = client.options;
  try {
    await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code !== NOT_FOUND) throw error;
  }
}

function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "''");
}
