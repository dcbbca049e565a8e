import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { quotaDay, quotaReset } from '../../src/domain/content/quota-day.ts';
import { quotaCeiling } from '../../src/domain/content/youtube-quota.ts';
import { findUnitsUsed } from '../../src/store/content/quota-find.ts';
import { type QuotaReservation, reserveQuota } from '../../src/store/content/quota-reserve.ts';
import { releaseQuota, settleQuota } from '../../src/store/content/quota-settle.ts';
import { deleteExpired } from '../../src/store/expired-delete.ts';
import { DATABASES, openTestDatabase } from '../world/world.ts';

const NOON = Date.parse('2026-11-22T20:00:00Z');

describe.each(DATABASES)('the quota in Postgres (%s)', (kind) => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  afterAll(() => database.close());

  // A day of its own for each test.
  let at = NOON;
  beforeEach(() => {
    at = quotaReset(at) + 6 * 3_600_000;
  });
  let calls = 0;
  const reserve = (given: Partial<Parameters<typeof reserveQuota>[1]> = {}): Promise<QuotaReservation> =>
    reserveQuota(database.db, {
      key: `call-${++calls}`,
      holder: 'task',
      units: 1,
      ceiling: 20,
      at,
      ...given,
    });
  const used = (day = quotaDay(at)) => findUnitsUsed(database.db, day);
  const kinds = (found: QuotaReservation[]) => Object.groupBy(found, (reservation) => reservation.kind);

  it('gives away no more than there is, also to many at once, and keeps the reserve for priority', async () => {
    const policy = { dailyUnits: 20, priorityReserved: 5 };
    const many = (count: number, priority: boolean) =>
      Promise.all(Array.from({ length: count }, () => reserve({ ceiling: quotaCeiling(policy, priority) }))).then(
        kinds,
      );
    const first = await many(40, false);
    expect([first.granted?.length, first.refused?.length, await used()]).toEqual([15, 25, 15]);
    const priority = await many(7, true);
    expect([priority.granted?.length, priority.refused?.length, await used()]).toEqual([5, 2, 20]);
  });

  it('gives nothing to a call that is larger than all there is, also where it is the first of a day', async () => {
    expect([(await reserve({ units: 21 })).kind, (await reserve({ ceiling: 0 })).kind]).toEqual(['refused', 'refused']);
    expect(await used()).toBe(0);
  });

  it('never gives more than there is to calls of several units in any order', async () => {
    const units = Array.from({ length: 60 }, (_, index) => 1 + ((index * 7) % 5));
    const found = await Promise.all(
      units.map(async (wanted) => ({ wanted, got: await reserve({ units: wanted, ceiling: 50 }) })),
    );
    const granted = found.filter(({ got }) => got.kind === 'granted').reduce((sum, { wanted }) => sum + wanted, 0);
    expect(granted).toBe(await used());
    expect(granted).toBeLessThanOrEqual(50);
    expect(granted).toBeGreaterThan(45);
  });

  it('gives a call its units once, and says what came of it', async () => {
    const same = await Promise.all(Array.from({ length: 10 }, () => reserve({ key: `same-${kind}`, holder: 'one' })));
    expect([kinds(same).granted?.length, kinds(same).in_doubt?.length, await used()]).toEqual([1, 9, 1]);
    await settleQuota(database.db, `same-${kind}`, { title: 'A title' });
    await settleQuota(database.db, `same-${kind}`, { title: 'Another' });
    expect(await reserve({ key: `same-${kind}` })).toEqual({
      kind: 'settled',
      answer: { title: 'A title' },
      holder: 'one',
      reservedAt: at,
    });
    expect(await used()).toBe(1);
  });

  it('takes back what was certainly not sent, and nothing else', async () => {
    await reserve({ key: `unsent-${kind}` });
    await reserve({ key: `sent-${kind}` });
    await settleQuota(database.db, `sent-${kind}`, null);
    await Promise.all(
      [`unsent-${kind}`, `unsent-${kind}`, `sent-${kind}`].map((key) => releaseQuota(database.db, key)),
    );
    expect(await used()).toBe(1);
    expect((await reserve({ key: `unsent-${kind}` })).kind).toBe('granted');
  });

  it('counts a call of the last minute on both days, or on none', async () => {
    const midnight = quotaReset(at);
    const [today, tomorrow] = [quotaDay(at), quotaDay(midnight)];
    expect((await reserve({ at: midnight - 30_000, ceiling: 1 })).kind).toBe('granted');
    expect([await used(today), await used(tomorrow)]).toEqual([1, 1]);
    expect((await reserve({ at: midnight + 10_000, ceiling: 1 })).kind).toBe('refused');
    // Today there is room, tomorrow there is none.
    expect((await reserve({ at: midnight - 90_000, ceiling: 3 })).kind).toBe('granted');
    await reserve({ at: midnight + 10_000, ceiling: 3, units: 2 });
    expect((await reserve({ at: midnight - 30_000, ceiling: 3 })).kind).toBe('refused');
    expect([await used(today), await used(tomorrow)]).toEqual([2, 3]);
  });

  it('begins anew at midnight of the place', async () => {
    const midnight = quotaReset(at);
    await reserve({ at: midnight - 61_000, ceiling: 1 });
    expect((await reserve({ at: midnight - 61_000, ceiling: 1 })).kind).toBe('refused');
    expect((await reserve({ at: midnight + 2_000, ceiling: 1 })).kind).toBe('granted');
  });

  it('forgets calls after a week, not the days', async () => {
    const daysAgo = (days: number) => Date.now() - days * 86_400_000;
    const asked = (name: string, days: number) =>
      reserve({ key: `${name}-${kind}`, at: daysAgo(days), ceiling: 1_000 });
    for (const [name, days] of [
      ['old', 8],
      ['recent', 6],
    ] as const)
      expect((await asked(name, days)).kind).toBe('granted');
    const before = await used(quotaDay(daysAgo(8)));
    await deleteExpired(database.db);
    expect(await used(quotaDay(daysAgo(8)))).toBe(before);
    expect([(await asked('old', 8)).kind, (await asked('recent', 6)).kind]).toEqual(['granted', 'in_doubt']);
  });
});
