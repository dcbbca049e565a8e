import { BUILD_WORKFLOW, type BuildInput, buildWorkflowId } from '../../src/contracts/builds/build-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import type { World } from '../world/world.ts';

/** Ways of builds whose first dispatch the request sends that triggers them. */
export const DIRECT_PATHS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  'build-dispatched-directly': (world) => direct(world),
  'build-dispatched-directly-and-refused': async (world) => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', message: 'No ref found for: main' });
    return direct(world);
  },
  'build-whose-direct-dispatch-is-lost': async (world) => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-503' });
    return direct(world);
  },
  'build-dispatched-directly-and-cancelled': async (world) => {
    const workflowId = await direct(world, { simulate: 'stuck' });
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'build-whose-direct-request-died': async (world) => {
    const { events } = await world.client.workflow.getHandle(await direct(world)).fetchHistory();
    const [payload] = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads!;
    const input: BuildInput = JSON.parse(Buffer.from(payload!.data!).toString());
    const workflowId = buildWorkflowId('nobody-sends-it');
    await world.client.workflow.start(BUILD_WORKFLOW, {
      workflowId,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [{ ...input, build_id: 9, workflow_id: workflowId, request_key: 'nobody-sends-it' }],
    });
    return workflowId;
  },
};

/** Triggers a build that is dispatched directly; its workflow. */
async function direct(world: World, inputs: Record<string, string> = {}): Promise<string> {
  const content = { repository: 'acme/images', workflow: 'build.yml', dispatch: 'direct' };
  await world.call('PUT', '/configs/by-name/direct', content);
  const { json } = await world.trigger({ config: 'direct', inputs });
  return String((await world.build(json.id)).events[0]!.event_data!.workflow_id);
}
