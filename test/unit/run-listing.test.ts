import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ListedRun } from '../../src/contracts/github/github.ts';
import { type ReadPage, RunListing } from '../../src/integrations/forges/runs/run-listing.ts';

// Vitest's clock stands for the timers of the globals only.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

const INTERVAL_MS = 30_000;
const QUEUED = { status: 'queued', run_attempt: 1 };

/** A repository whose runs have the numbers 1 to `count`, the newest first, and a count of what is read of it. */
function repository(count: number) {
  const status = new Map<number, string>();
  const reads: number[] = [];
  let newest = count;
  const missing = new Set<number>();
  let broken: Error | undefined;
  const listed = () =>
    Array.from({ length: newest }, (_, index) => newest - index)
      .filter((id) => !missing.has(id))
      .map((id) => ({ run_id: id, status: status.get(id) ?? 'queued', run_attempt: 1 }) as ListedRun);
  const readPage: ReadPage = async (page, etag) => {
    reads.push(page);
    if (broken) throw broken;
    const runs = listed().slice((page - 1) * 100, page * 100);
    const now = JSON.stringify(runs);
    const last = listed().length <= page * 100;
    return etag === now ? undefined : { etag: now, runs, last };
  };
  return {
    listing: new RunListing(readPage),
    reads,
    missing,
    grow: (by: number) => (newest += by),
    set: (id: number, to: string) => status.set(id, to),
    fail: (error: Error | undefined) => (broken = error),
  };
}

describe('the listing of one repository', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Everybody looks once per interval; answers with those who have to ask GitHub, interval by interval. */
  async function follow(listing: RunListing, ids: number[], intervals: number): Promise<number[][]> {
    const asked: number[][] = [];
    for (let interval = 0; interval < intervals; interval++) {
      const looks = await Promise.all(ids.map((id) => listing.look(id, QUEUED, INTERVAL_MS)));
      asked.push(ids.filter((_, index) => looks[index]!.doubtful));
      await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    }
    return asked;
  }
  const all = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  it.each([1, 100, 101, 1_000, 10_000])(
    '%i runs: at most two pages an interval, and nobody is asked about',
    async (count) => {
      const { listing, reads } = repository(count);
      await follow(listing, all(count), 1);
      reads.length = 0;
      expect((await follow(listing, all(count), 5)).flat()).toEqual([]);
      expect(reads.length).toBe(count <= 100 ? 5 : 10);
    },
  );

  it('takes more followed runs than fit on a stack', async () => {
    const { listing } = repository(200);
    const looks = await Promise.all(all(200_000).map((id) => listing.look(id, QUEUED, INTERVAL_MS)));
    expect(looks.filter(({ doubtful }) => doubtful)).toEqual([]);
  });

  /** Everybody looks when it was told to; how many looks there were, and who had to ask GitHub. */
  async function followAsTold(listing: RunListing, due: Map<number, number>, intervals: number) {
    const asked = new Set<number>();
    let looks = 0;
    for (let interval = 0; interval < intervals; interval++) {
      for (const [id, at] of due) {
        if (at > Date.now()) continue;
        const { doubtful, staleInMs } = await listing.look(id, QUEUED, INTERVAL_MS);
        if (doubtful) asked.add(id);
        due.set(id, Date.now() + staleInMs);
        looks += 1;
      }
      await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    }
    return { looks, asked };
  }
  const neverLooked = (count: number) => new Map(all(count).map((id) => [id, 0]));

  it.each([
    // The newest page and one behind it are looked for in every interval, the others when theirs is due, or every 10.
    [1_000, 200],
    [10_000, 200 + 9_800 / 10],
  ])('%i runs are looked for %i times an interval, and at most two pages are read', async (count, looksPerInterval) => {
    const { listing, reads } = repository(count);
    const due = neverLooked(count);
    // Until all know when their page is due.
    await followAsTold(listing, due, 2 * Math.ceil(count / 100));
    reads.length = 0;
    const { looks, asked } = await followAsTold(listing, due, 99);
    expect(asked).toEqual(new Set());
    expect(looks / 99).toBeLessThanOrEqual(1.01 * looksPerInterval);
    expect(reads.length).toBe(2 * 99);
    expect(new Set(reads).size).toBe(count / 100);
  });

  it('who waits for its page sees a change there as soon as who looks in every interval', async () => {
    const { listing, set } = repository(1_000);
    const due = neverLooked(1_000);
    await followAsTold(listing, due, 20);
    for (const id of [950, 850, 550, 101, 1]) {
      set(id, 'completed');
      const { asked } = await followAsTold(listing, due, id > 900 ? 2 : 10);
      expect(asked).toEqual(new Set([id]));
      set(id, 'queued');
      await followAsTold(listing, due, 10);
    }
  });

  it('who waits for a page from which newer runs have pushed its run looks for it on the next ones', async () => {
    const { listing, set, grow } = repository(1_000);
    const due = neverLooked(1_000);
    await followAsTold(listing, due, 20);
    grow(250);
    set(1, 'completed');
    expect((await followAsTold(listing, due, 13)).asked).toEqual(new Set([1]));
  });

  it('is read by itself until nobody has followed a run for three intervals', async () => {
    const { listing, reads } = repository(10);
    await listing.look(1, QUEUED, INTERVAL_MS);
    await vi.advanceTimersByTimeAsync(10 * INTERVAL_MS);
    expect(reads).toEqual([1, 1, 1, 1, 1]);
  });

  it('with 10 pages a change on the first is seen at the next look, one behind it after at most 9 intervals', async () => {
    const { listing, set } = repository(1_000);
    await follow(listing, all(1_000), 20);
    for (const [id, intervals] of [
      [950, 1],
      [850, 9],
      [550, 9],
      [1, 9],
    ] as const) {
      set(id, 'completed');
      const asked = await follow(listing, all(1_000), 1 + intervals);
      expect(asked.at(-1)).toContain(id);
      expect(new Set(asked.flat())).toEqual(new Set([id]));
      set(id, 'queued');
      await follow(listing, all(1_000), 10);
    }
  });

  it('what GitHub said of a run is not asked again because a page is older', async () => {
    const { listing } = repository(1_000);
    await follow(listing, all(1_000), 10);
    const seen = { status: 'in_progress', run_attempt: 1 };
    listing.note({ run_id: 1, run_url: '', conclusion: null, request_id: null, ...seen });
    expect((await listing.look(1, seen, INTERVAL_MS)).doubtful).toBe(false);
    await follow(listing, all(1_000).slice(1), 20);
    expect((await listing.look(1, seen, INTERVAL_MS)).doubtful).toBe(false);
  });

  it('an end that is listed is asked about until GitHub confirms it, though its answers lag behind its listing', async () => {
    const { listing, set } = repository(10);
    const seen = { status: 'in_progress', run_attempt: 1 };
    set(1, 'in_progress');
    expect((await listing.look(1, seen, INTERVAL_MS)).doubtful).toBe(false);
    set(1, 'completed');
    for (let interval = 0; interval < 3; interval++) {
      await vi.advanceTimersByTimeAsync(INTERVAL_MS);
      expect((await listing.look(1, seen, INTERVAL_MS)).doubtful).toBe(true);
      listing.note({ run_id: 1, run_url: '', conclusion: null, request_id: null, ...seen });
    }
  });

  it('is read at once after the clock was set back, and nobody waits until it is where it was', async () => {
    const { listing, reads } = repository(10);
    await listing.look(1, QUEUED, INTERVAL_MS);
    // Until nobody follows a run any more.
    await vi.advanceTimersByTimeAsync(10 * INTERVAL_MS);
    reads.length = 0;
    vi.setSystemTime(Date.now() - 3_600_000);
    const { staleInMs } = await listing.look(1, QUEUED, INTERVAL_MS);
    expect(reads).toEqual([1]);
    expect(staleInMs).toBe(INTERVAL_MS);
  });

  it('a run that is not listed is asked about also where many workers look for it in turn', async () => {
    const workers = Array.from({ length: 10 }, () => repository(1_500).listing);
    let asked = false;
    for (let look = 0; look < 100 && !asked; look++) {
      asked = (await workers[look % workers.length]!.look(1, QUEUED, INTERVAL_MS)).doubtful;
      await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    }
    expect(asked).toBe(true);
  });

  it('a run that is not listed is asked about once it was in no whole rotation', async () => {
    const { listing, missing } = repository(350);
    missing.add(7);
    const asked = await follow(listing, all(350), 12);
    expect(new Set(asked.flat())).toEqual(new Set([7]));
    // Pages 2 to 4, one an interval, are a rotation.
    expect(asked.findIndex((ids) => ids.includes(7))).toBeGreaterThanOrEqual(3);
    expect(asked.at(-1)).toEqual([7]);
  });

  it('goes no further back than the oldest run that is followed', async () => {
    const { listing, reads } = repository(1_000);
    await follow(listing, [1_000, 850, 790], 6);
    expect(new Set(reads)).toEqual(new Set([1, 2, 3]));
    await follow(listing, [1_000], 5);
    reads.length = 0;
    await follow(listing, [1_000], 3);
    expect(reads).toEqual([1, 1, 1]);
  });

  it('few runs far behind do not have all others wait: they are asked about by themselves', async () => {
    const { listing, reads } = repository(5_000);
    const asked = await follow(listing, [1, 2, 4_999, 5_000], 45);
    expect(Math.max(...reads)).toBe(10);
    expect(new Set(asked.flat())).toEqual(new Set([1, 2]));
  });

  it('a failure is shared too, and nobody reads again before the interval is over', async () => {
    const { listing, reads, fail } = repository(10);
    fail(new Error('GitHub is away'));
    const failed = await Promise.allSettled(all(10).map((id) => listing.look(id, QUEUED, INTERVAL_MS)));
    expect(failed.map(({ status }) => status)).toEqual(Array(10).fill('rejected'));
    await expect(listing.look(1, QUEUED, INTERVAL_MS)).rejects.toThrow('GitHub is away');
    expect(reads).toEqual([1]);
    fail(undefined);
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(await listing.look(1, QUEUED, INTERVAL_MS)).toEqual({ doubtful: false, staleInMs: INTERVAL_MS });
  });
});
