import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DispatchOutcome } from '../../src/contracts/github/github.ts';
import { eventually } from '../world/eventually.ts';
import { hasTestServer } from '../world/test-server.ts';
import { ambiguous, openVirtualWorld, type VirtualBuild, type VirtualWorld } from './virtual-world.ts';

const acceptedSomewhere: DispatchOutcome = { ...ambiguous, accepted: true };

describe.skipIf(!hasTestServer)('signals, which somebody may type', () => {
  let world: VirtualWorld;
  beforeAll(async () => {
    world = await openVirtualWorld();
  });
  afterAll(() => world.close());

  /** Waits until the build asks for help, letting virtual time pass. */
  const inNeed = (build: VirtualBuild) =>
    eventually(async () => {
      if (build.record.build().needs_attention) return;
      await world.pass(10_000);
      throw new Error('the build does not ask for help');
    });

  it('who says what cannot be meant is not heard, and may say it again', async () => {
    const build = await world.start({ dispatch: [acceptedSomewhere] });
    await inNeed(build);
    for (const said of [[], [null], [{}], [{ run_id: '42' }], [{ run_id: 0 }]])
      await build.handle.signal('adopt', ...said);
    await build.handle.signal('adopt', { run_id: 42, run_url: 7 });
    expect((await build.closed()).result).toMatchObject({ status: 'success' });
    expect(build.record.build().workflow_run_id).toBe(42);
  });

  it.each([[[]], [[null]], [[{ by: 5 }]]])('cancels by a signal with %j', async (said) => {
    const build = await world.start({ dispatch: [acceptedSomewhere] });
    await inNeed(build);
    await build.handle.signal('cancel', ...said);
    expect((await build.closed()).result).toMatchObject({ status: 'cancelled' });
  });

  it.each([[[]], [[null]], [[{ run_id: '1001' }]], [[{ run_id: 1001 }]], [[{ run_id: 0.5, delivery_id: 'd' }]]])(
    'goes on after run_changed with %j',
    async (said) => {
      const build = await world.start();
      await build.handle.signal('run_changed', ...said);
      expect((await build.closed()).result).toMatchObject({ status: 'success' });
    },
  );

  it('ends a build whose end the record has, and Temporal lost, once it is to tell the record again', async () => {
    const build = await world.start({ dispatch: [acceptedSomewhere] });
    await inNeed(build);
    build.record.append({
      type: 'build_cancelled',
      data: { conclusion: 'cancelled', run_attempt: null, learned_from: 'operator', request_id: null },
      occurred_at: new Date().toISOString(),
      dedupe_key: 'completed',
    });
    await build.handle.signal('tell_again');
    expect((await build.closed()).result).toMatchObject({ status: 'cancelled', conclusion: 'cancelled' });
    expect(build.record.told('build_cancelled')).toHaveLength(1);
  });

  it('goes on after it has told the record again, where the record has no end', async () => {
    const build = await world.start({ dispatch: [acceptedSomewhere] });
    await inNeed(build);
    await build.handle.signal('tell_again');
    await world.pass(120_000);
    await build.handle.signal('adopt', { run_id: 42 });
    expect((await build.closed()).result).toMatchObject({ status: 'success' });
  });

  it('who cancels another build, which had the same workflow id before it, does not cancel this one', async () => {
    const build = await world.start();
    await build.handle.signal('cancel', { by: 'test', build_id: build.input.build_id - 1 });
    expect((await build.closed()).result).toMatchObject({ status: 'success' });
  });
});
