import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

interface Seen {
  identity: string;
  queue: string;
  last_seen_at: string;
  present: boolean;
}

describe('a worker that leaves', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());
  afterEach(() => vi.useRealTimers());

  const get = async (path: string) => (await world.call('GET', path)).json;
  const page = async (path: string) => (await world.call('GET', path)).text;
  const workers = async (): Promise<Seen[]> => get('/workers');
  const served = async () =>
    (await get('/task-types')).find(({ name }: { name: string }) => name === 'semantic_search').served_by;
  const pollers = async () => (await get('/queues')).find(({ name }: { name: string }) => name === 'search').pollers;
  /** Sets the clock by which the API judges what Temporal saw; all else runs on. */
  const at = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: ms });

  it('is there for 90 seconds after it asked for work, and then it is gone, in the API and in the console', async () => {
    // An idle worker asks once a minute: by another clock, it asked long ago. If it asks during the test, once more.
    await eventually(async () => {
      vi.useRealTimers();
      const seen = await workers();
      expect(seen.map(({ queue }) => queue)).toContain('search');
      const times = seen.map(({ last_seen_at }) => Date.parse(last_seen_at));
      at(Math.min(...times) + 89_000);
      expect([await pollers(), (await served()).length]).toEqual([1, 1]);
      expect((await workers()).every(({ present }) => present)).toBe(true);
      expect(await page('/console/queues')).not.toContain('No worker is there.');
      at(Math.max(...times) + 90_100);
      expect([await pollers(), await served()]).toEqual([0, []]);
      expect((await workers()).some(({ present }) => present)).toBe(false);
      const types = await page('/console/task-types');
      expect([types.includes('Nobody'), types.includes(seen[0]!.identity)]).toEqual([true, false]);
      expect(await page('/console/queues')).toContain('No worker is there.');
    });
  });
});
