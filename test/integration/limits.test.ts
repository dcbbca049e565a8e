import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedGitHubWrites } from '../../src/store/github/github-writes.ts';
import { eventually } from '../world/eventually.ts';
import { DATABASES, openTestDatabase, openWorld, type World } from '../world/world.ts';

const INTERVAL_MS = 200;

describe('three workers with one credential', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server', { GITHUB_WRITE_INTERVAL: `${INTERVAL_MS}ms` });
    await world.startWorker();
    await world.startWorker();
  });
  afterAll(() => world.close());

  const trigger = async (inputs: object = {}): Promise<number> =>
    (await world.trigger({ ref: `limits-${randomUUID()}`, inputs })).json.id;
  const writes = async () =>
    (await world.github.requests()).filter(({ kind }) => ['dispatch', 'rerun', 'cancel'].includes(kind));
  const gaps = async () => {
    const times = (await writes()).map(({ at }) => at);
    return times.slice(1).map((at, index) => at - times[index]!);
  };

  it('write at least the interval apart: dispatches, cancels and re-runs', async () => {
    const stuck = await Promise.all(Array.from({ length: 5 }, () => trigger({ simulate: 'stuck' })));
    const flaky = await trigger({ simulate: 'flaky' });
    const others = await Promise.all(Array.from({ length: 5 }, () => trigger()));
    expect((await world.ended(flaky)).status).toBe('failure');
    await world.call('POST', `/builds/${flaky}/retry`, {});
    for (const id of stuck) {
      await eventually(async () => expect((await world.build(id)).workflow_run_id).toEqual(expect.anything()));
      await world.call('POST', `/builds/${id}/cancel`, {});
    }
    for (const id of [...stuck, ...others]) await world.ended(id);
    await eventually(async () => expect((await world.build(flaky)).status).toBe('success'));

    expect((await writes()).map(({ kind }) => kind).toSorted()).toEqual([
      ...Array(5).fill('cancel'),
      ...Array(11).fill('dispatch'),
      'rerun',
    ]);
    expect(Math.min(...(await gaps()))).toBeGreaterThanOrEqual(INTERVAL_MS);
  });

  it('none sends anything while a limit lasts that one of them was told of', async () => {
    const before = (await world.github.requests()).length;
    await world.github.fault({ on: 'dispatch', kind: 'secondary-rate-limit', retry_after_s: 3 });
    const ids = await Promise.all(Array.from({ length: 6 }, () => trigger()));
    for (const id of ids) expect((await world.ended(id)).status).toBe('success');
    const requests = (await world.github.requests()).slice(before).filter(({ kind }) => kind !== 'rate_limit');
    const told = requests.findIndex(({ kind }) => kind === 'dispatch');
    const limit = requests[told]!.at;
    // What was on its way when GitHub said so is not called back.
    expect(requests.slice(told + 1).filter(({ at }) => at > limit + 1_000 && at < limit + 3_000)).toEqual([]);
    expect(requests.filter(({ kind }) => kind === 'dispatch')).toHaveLength(ids.length + 1);
    expect(Math.min(...(await gaps()))).toBeGreaterThanOrEqual(INTERVAL_MS);
  });
});

describe.each(DATABASES)('the pace of a credential (%s)', (kind) => {
  it('gives out one claim at a time and slots apart, whoever asks', async () => {
    const { db, close } = await openTestDatabase(kind);
    const one = sharedGitHubWrites(db, 'one');
    const another = sharedGitHubWrites(db, 'another');
    const together = await Promise.all(Array.from({ length: 8 }, () => one.claim(60_000)));
    const claims = together.flatMap((claim) => ('claimedUntil' in claim ? [claim.claimedUntil] : []));
    expect(claims).toHaveLength(1);
    for (const other of together) if ('waitMs' in other) expect(other.waitMs).toBeGreaterThan(0);
    expect(await one.claim(60_000)).toMatchObject({ limited: false });
    expect(await another.claim(60_000)).toHaveProperty('claimedUntil');

    await one.release('epoch', 0);
    expect(await one.claim(1)).toMatchObject({ limited: false });
    await one.release(claims[0]!, 0);
    expect(await one.claim(1)).toHaveProperty('claimedUntil');

    const slots = await Promise.all(Array.from({ length: 5 }, () => one.reserve(10_000)));
    for (const [index, wait] of slots.toSorted((a, b) => a - b).entries()) {
      expect(wait).toBeGreaterThan(index * 10_000 - 5_000);
      expect(wait).toBeLessThanOrEqual(index * 10_000 + 1);
    }
    await close();
  });

  it('doubles a limit whose length GitHub does not name, if it comes soon after another one', async () => {
    const { db, close } = await openTestDatabase(kind);
    const writes = sharedGitHubWrites(db, 'limited');
    const seconds = async (isNamed = false) => {
      await writes.limit(60_000, isNamed);
      return Math.round((await writes.limitedForMs()) / 1_000);
    };
    const ended = (ago: string) => db`UPDATE github_writes SET limited_until = clock_timestamp() - ${ago}::interval`;
    expect(await seconds()).toBe(60);
    // Several requests may meet the same limit.
    expect(await seconds()).toBe(60);
    for (const expected of [120, 240, 480, 960, 1_920, 3_600, 3_600]) {
      await ended('10 s');
      expect(await seconds()).toBe(expected);
    }
    await ended('10 s');
    expect(await seconds(true)).toBe(60);
    await ended('10 s');
    expect(await seconds()).toBe(120);
    await ended('2 min');
    expect(await seconds()).toBe(60);
    await close();
  });
});
