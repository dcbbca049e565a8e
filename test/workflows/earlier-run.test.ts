import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../src/contracts/builds/event.ts';
import { awayError } from '../fuzz/memory-store.ts';
import { hasTestServer } from '../world/test-server.ts';
import { withRun } from './earlier-events.ts';
import { found, openVirtualWorld, RUN_ID, urlOf, type VirtualWorld } from './virtual-world.ts';

describe.skipIf(!hasTestServer)('a build that an earlier run of its workflow dispatched', () => {
  let world: VirtualWorld;
  beforeAll(async () => {
    world = await openVirtualWorld();
  });
  afterAll(() => world.close());

  it('what an earlier run sent is not sent again while the record, which knows its run, is away', async () => {
    const build = await world.start({
      before: withRun,
      readRecord(nth) {
        if (nth <= 3) throw awayError();
      },
    });
    expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: urlOf(RUN_ID) });
    expect(build.asked('dispatch')).toHaveLength(0);
    expect(build.asked('find')).toHaveLength(0);
  });

  it('an adopted run is gone on with after a reset, also where nobody said where to look at it', async () => {
    const build = await world.start({
      before: (input) =>
        withRun(input).map((event) =>
          event.type === 'workflow_triggered' ? { ...event, data: { ...event.data, run_url: '' } } : event,
        ),
    });
    expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: '' });
    expect(build.asked('dispatch')).toHaveLength(0);
  });

  it('a late run of a dispatch that was given up before a reset is cancelled all the same', async () => {
    const [token, second] = ['hapax-1-1-0123456789ab', 'hapax-1-2-0123456789ab'];
    const build = await world.start({
      before: (input) => {
        const [started, intended, ambiguous, triggered] = withRun(input) as [
          BuildEvent,
          BuildEvent,
          BuildEvent,
          BuildEvent,
        ];
        const again = {
          ...intended,
          data: { attempt: 2, token: second, temporal_run_id: 'an earlier one' },
          dedupe_key: 'dispatch:2:intended',
        } as BuildEvent;
        return [
          started,
          intended,
          ambiguous,
          again,
          { ...triggered, data: { ...triggered.data, attempt: 2 } } as BuildEvent,
        ];
      },
      find: [found(7)],
    });
    expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: urlOf(RUN_ID) });
    expect(build.asked('find')[0]?.tokens).toEqual([token]);
    expect(build.record.told('late_run_cancelled').map((event) => event.workflow_run_id)).toEqual([7]);
    expect(build.asked('dispatch')).toHaveLength(0);
  });
});
