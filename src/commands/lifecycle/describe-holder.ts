import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { Kind, Subject, SubjectInput } from './kind.ts';
import { temporalFault } from './start-workflow.ts';

/** Describes the workflow that holds a workflow id, and says which build or task it leads. @throws {Refusal} if Temporal is away. */
export async function describeHolder<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  { client }: { client: Client },
  { idOf }: Kind<State, Event, Input>,
  workflowId: string,
): Promise<{ id: State['id']; described: WorkflowExecutionDescription }> {
  const described = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      throw temporalFault(error);
    });
  return { id: idOf(described.memo ?? {}), described };
}
