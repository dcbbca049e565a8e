import { onTestFinished } from 'vitest';
import { startGitHubSimulator } from '../../src/simulator/github.ts';
import { remote } from '../simulator/harness.ts';
import { eventually } from '../world/eventually.ts';
import type { World } from '../world/world.ts';

/** Of the simulated Gitea. Settings are fixed before a path begins, so its port is too. */
const PORT = 27_431;

/** Ways through a workflow on a forge that can do less than GitHub. */
export const FORGE_PATHS = {
  'build-on-gitea': (world: World) => onGitea(world),
  'build-on-gitea-ambiguous-then-found': (world: World) =>
    onGitea(world, {}, async ({ fault }) => {
      await fault({ on: 'dispatch', kind: 'accept-then-502' });
    }),
  'build-on-gitea-deadline': (world: World) => onGitea(world, { simulate: 'stuck' }),
  'build-on-gitea-cancelled-in-vain': async (world: World) => {
    let gitea: Hands | undefined;
    const workflowId = await onGitea(world, { simulate: 'stuck' }, async (hands) => {
      gitea = hands;
    });
    await seen(world, 'run_updated');
    await world.client.workflow.getHandle(workflowId).cancel();
    await seen(world, 'cancel_requested');
    await gitea!.force((await world.build(1)).workflow_run_id!, 'completed', 'success');
    return workflowId;
  },
  'build-on-gitea-run-again': async (world: World) => {
    const workflowId = await onGitea(world, { simulate: 'flaky' });
    await world.ended(1);
    await world.call('POST', '/builds/1/retry', { mode: 'rerun' });
    return workflowId;
  },
};

const CREDENTIAL = { FORGE_CREDENTIALS: `gitea=http://token@127.0.0.1:${PORT}/api/v1` };

/** Their settings. */
export const FORGE_SETTINGS = {
  ...Object.fromEntries(Object.keys(FORGE_PATHS).map((name) => [name, CREDENTIAL])),
  'build-on-gitea-deadline': { ...CREDENTIAL, BUILD_DEADLINE: '1s' },
};

type Hands = ReturnType<typeof remote>;

/** Starts a build on a simulated Gitea; answers with its workflow. */
async function onGitea(
  world: World,
  inputs: Record<string, string> = {},
  before: (gitea: Hands) => Promise<void> = async () => {},
): Promise<string> {
  const gitea = await startGitHubSimulator({
    dialect: 'gitea',
    port: PORT,
    settings: { queued_for_ms: 20, running_for_ms: 60 },
  });
  onTestFinished(() => gitea.close());
  await before(remote(gitea));
  const definition = { forge: 'gitea', credential: 'gitea', repository: 'acme/images', workflow: 'build.yml' };
  await world.call('PUT', '/configs/by-name/gitea', definition);
  const { json } = await world.trigger({ config: 'gitea', inputs });
  return eventually(async () => String((await world.build(json.id)).events[0]!.event_data!.workflow_id));
}

async function seen(world: World, type: string): Promise<void> {
  await eventually(async () => {
    const { events } = await world.build(1);
    if (!events.some((event) => event.event_type === type)) throw new Error(`there is no ${type} yet`);
  });
}
