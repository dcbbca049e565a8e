import { eventually } from '../world/eventually.ts';
import type { World } from '../world/world.ts';

/** Ways of builds whose dispatches another program sends. */
export const SHADOW_PATHS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  'build-of-another-program': async (world) => {
    await started(world, 2);
    return triggered(world);
  },
  'build-of-another-program-that-starts-none': (world) => triggered(world),
  'build-of-another-program-cancelled-before-its-run': async (world) => {
    const workflowId = await triggered(world);
    await eventually(async () => {
      const { events } = await world.build(1);
      if (!events.some(({ event_type }) => event_type === 'dispatch_withheld')) throw new Error('it does not wait yet');
    });
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'build-of-another-program-cancelled-in-vain': async (world) => {
    await started(world, 1, { simulate: 'stuck' });
    const workflowId = await triggered(world, { simulate: 'stuck' });
    await eventually(async () => {
      if ((await world.build(1)).workflow_run_id === null) throw new Error('it has no run yet');
    });
    await world.client.workflow.getHandle(workflowId).signal('cancel', { by: 'somebody' });
    return workflowId;
  },
};

/** Settings of paths that need others. */
export const SHADOW_SETTINGS = { 'build-of-another-program-cancelled-in-vain': { BUILD_DEADLINE: '3s' } };

function started({ github }: World, count: number, inputs: Record<string, string> = {}): Promise<unknown> {
  return github.control('POST', '/runs', { repository: 'acme/images', display_title: 'Build main', count, inputs });
}

async function triggered(world: World, inputs: Record<string, string> = {}): Promise<string> {
  const content = { repository: 'acme/images', workflow: 'build.yml', dispatch: 'shadow' };
  await world.call('PUT', '/configs/by-name/beside', content);
  const { json } = await world.trigger({ config: 'beside', inputs });
  return String((await world.build(json.id)).events[0]!.event_data!.workflow_id);
}
