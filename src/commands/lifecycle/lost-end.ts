import type { Client } from '@temporalio/client';
import { Refusal } from '../refusal.ts';
import { findExecution, isTerminal } from './executions.ts';
import { temporalFault } from './start-workflow.ts';

/**
 * Makes sure that a build or task that is open in the record, and whose workflow has closed, was not ended by it. It was if the record was
 * set back since, as by a restored backup. The next comparison records that end again.
 * @throws {Refusal} 409 if it was; 503 if Temporal is away.
 */
export async function assertNoLostEnd(
  client: Client,
  kind: 'build' | 'task',
  { id, workflow_id }: { id: number | string; workflow_id: string },
): Promise<void> {
  const last = await findExecution(client, workflow_id).catch((error: unknown) => {
    throw temporalFault(error);
  });
  if (last?.id !== String(id) || !isTerminal(last)) return;
  const detail = `${kind} ${id} has ended (${last.status}), but the record has lost that; \`hapax reconcile\` records it again`;
  throw new Refusal('state_conflict', { detail });
}
