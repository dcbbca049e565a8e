import { readFileSync } from 'node:fs';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workflowBundle } from '../../src/worker/bundle.ts';
import { seeded } from '../world/seeded.ts';
import { hasTestServer } from '../world/test-server.ts';
import { openVirtualWorld, type VirtualWorld } from './virtual-world.ts';

/** How long the record may take for an event, milliseconds. */
const TAKES_MS = [0, 0, 40, 80, 160];

describe.skipIf(!hasTestServer)('a build that is recorded again while it goes on', () => {
  let world: VirtualWorld;
  beforeAll(async () => {
    world = await openVirtualWorld();
  });
  afterAll(() => world.close());

  // Each of these seeds made the replay fail while both recorded at the same time.
  it.each([8, 9, 21, 26, 29, 36])(
    'goes on after the loss of its worker, whatever took longer (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const build = await world.start({
        tellAgain: true,
        tell: () => new Promise((told) => setTimeout(told, TAKES_MS[Math.floor(random() * TAKES_MS.length)])),
      });
      expect((await build.closed()).result).toMatchObject({ status: 'success' });
      const code = readFileSync(await workflowBundle(), 'utf8');
      await Worker.runReplayHistory({ workflowBundle: { code } }, await build.handle.fetchHistory());
    },
  );
});
