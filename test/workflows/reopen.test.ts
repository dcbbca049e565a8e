import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runChangedSignal } from '../../src/workflows/messages.ts';
import { hasTestServer } from '../world/test-server.ts';
import { DAY, openVirtualWorld, RUN_ID, type VirtualBuild, type VirtualWorld } from './virtual-world.ts';

describe.skipIf(!hasTestServer)('a webhook about another attempt of the run of a build', () => {
  let world: VirtualWorld;
  beforeAll(async () => {
    world = await openVirtualWorld();
  });
  afterAll(() => world.close());

  it.each(['failure', 'success'])('that comes as a %s is told is not lost', async (first) => {
    let again = 0;
    const build: VirtualBuild = await world.start({
      run: () => ({ status: 'completed', conclusion: again === 0 ? first : 'success' }),
      runAgain: () => again,
      policy: { poll_interval_ms: DAY },
      async tell({ type, nth, after }) {
        if (type !== 'build_completed' || nth > 1 || !after) return;
        again = 1;
        await build.handle.signal(runChangedSignal, {
          run_id: RUN_ID,
          run_attempt: 2,
          delivery_id: 'the delivery',
        });
      },
    });
    expect((await build.closed()).result.status).toBe('success');
    expect(build.record.told('build_reopened')).toMatchObject([{ run_attempt: 2, delivery_id: 'the delivery' }]);
    expect(build.record.told('build_completed').map(({ run_attempt }) => run_attempt)).toEqual([1, 2]);
    // What it read then is the end: no page of a listing has to become due for it.
    expect(build.asked('changed')).toHaveLength(1);
  });
});
