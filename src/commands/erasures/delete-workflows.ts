import { type Client, isGrpcServiceError, type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client';
import { temporalFault } from '../lifecycle/start-workflow.ts';
import { Refusal } from '../refusal.ts';

/** gRPC's NOT_FOUND. */
const NOT_FOUND = 5;

/** One run of a workflow id. */
export type Run = Pick<WorkflowExecutionInfo, 'runId' | 'status' | 'memo'>;

interface Deletion {
  /** Whether to delete an open run too, instead of refusing. */
  ends?: boolean;
  /** Says whether a run is meant: equal requests have one workflow id, and each of them its own runs. By default, every run is. */
  isMeant?: (run: Run) => boolean;
}

/**
 * Deletes everything that Temporal keeps about the runs of a workflow id: histories, memos and search attributes. The server does so a
 * moment later. Ignores what is already gone.
 * @throws {Refusal} 409 while such a run is open; 503 if Temporal cannot be reached.
 */
export async function deleteWorkflows(
  client: Client,
  workflowId: string,
  { ends = false, isMeant = () => true }: Deletion = {},
): Promise<void> {
  try {
    const runs = new Map<string, Run>();
    for await (const run of client.workflow.list({ query: `WorkflowId = '${quoted(workflowId)}'` }))
      runs.set(run.runId, run);
    // The list lags behind.
    const latest = await describe(client, workflowId);
    if (latest) runs.set(latest.runId, latest);
    const meant = [...runs.values()].filter(isMeant);
    for (const run of meant) {
      if (ends || !isOpen(run) || !isOpen(await describe(client, workflowId, run.runId))) continue;
      const detail = `the workflow ${workflowId} is still open; try again when it has closed`;
      throw new Refusal('state_conflict', { detail });
    }
    for (const { runId } of meant) await deleteRun(client, { workflowId, runId });
  } catch (error) {
    throw error instanceof Refusal ? error : temporalFault(error);
  }
}

function isOpen(run: Run | undefined): boolean {
  return run?.status.name === 'RUNNING';
}

/** Returns a run, by default the latest one; undefined if there is none. */
async function describe(client: Client, workflowId: string, runId?: string): Promise<Run | undefined> {
  try {
    return await client.workflow.getHandle(workflowId, runId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
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
