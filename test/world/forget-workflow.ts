import { eventually } from './eventually.ts';
import type { World } from './world.ts';

/** Has Temporal lose a workflow, as it does where its data is lost. */
export async function forget(
  { client, namespace }: Pick<World, 'client' | 'namespace'>,
  workflowId: string,
): Promise<void> {
  await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
  await eventually(async () => {
    const found = await client.workflow
      .getHandle(workflowId)
      .describe()
      .then(
        () => true,
        () => false,
      );
    if (found) throw new Error('Temporal still has it');
  });
}
