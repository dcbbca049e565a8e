import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotaDay, quotaDaysOfCall, quotaReset } from '../../src/domain/content/quota-day.ts';
import { afterRefusal } from '../../src/domain/content/youtube-quota.ts';

const at = (text: string) => Date.parse(text);
const HOUR = 3_600_000;

describe('the day of the quota', () => {
  // Instants worked out by hand from the rule of the zone: UTC-8, from the second Sunday of March to the first of
  // November UTC-7, changed at 02:00 local time.
  it.each([
    ['in winter, a moment before midnight', '2026-01-15T07:59:59.999Z', '2026-01-14', '2026-01-15T08:00:00.000Z'],
    ['in winter, at midnight', '2026-01-15T08:00:00.000Z', '2026-01-15', '2026-01-16T08:00:00.000Z'],
    ['in summer, a moment before midnight', '2026-07-15T06:59:59.999Z', '2026-07-14', '2026-07-15T07:00:00.000Z'],
    ['in summer, at midnight', '2026-07-15T07:00:00.000Z', '2026-07-15', '2026-07-16T07:00:00.000Z'],
    ['of 23 hours, at its beginning', '2026-03-08T08:00:00.000Z', '2026-03-08', '2026-03-09T07:00:00.000Z'],
    ['of 23 hours, before the change', '2026-03-08T09:59:59.999Z', '2026-03-08', '2026-03-09T07:00:00.000Z'],
    ['of 23 hours, after the change', '2026-03-08T10:00:00.000Z', '2026-03-08', '2026-03-09T07:00:00.000Z'],
    ['of 23 hours, at its end', '2026-03-09T06:59:59.999Z', '2026-03-08', '2026-03-09T07:00:00.000Z'],
    ['of 25 hours, at its beginning', '2026-11-01T07:00:00.000Z', '2026-11-01', '2026-11-02T08:00:00.000Z'],
    ['of 25 hours, in the hour that comes twice', '2026-11-01T09:30:00.000Z', '2026-11-01', '2026-11-02T08:00:00.000Z'],
    ['of 25 hours, at its end', '2026-11-02T07:59:59.999Z', '2026-11-01', '2026-11-02T08:00:00.000Z'],
  ])('%s', (_, instant, day, reset) => {
    expect([quotaDay(at(instant)), new Date(quotaReset(at(instant))).toISOString()]).toEqual([day, reset]);
  });

  it('ends where the next begins, at any time of forty years', () => {
    const instant = fc.integer({ min: at('2010-01-01T00:00Z'), max: at('2050-01-01T00:00Z') });
    fc.assert(
      fc.property(instant, (now) => {
        const reset = quotaReset(now);
        expect(reset).toBeGreaterThan(now);
        expect(reset - now).toBeLessThanOrEqual(25 * HOUR);
        expect(quotaDay(reset - 1)).toBe(quotaDay(now));
        expect(Date.parse(quotaDay(reset))).toBe(Date.parse(quotaDay(now)) + 24 * HOUR);
        // The same by the clock of the place, which says midnight.
        const local = new Date(reset).toLocaleTimeString('en-GB', { timeZone: 'America/Los_Angeles' });
        expect(local).toBe('00:00:00');
      }),
      { numRuns: 2_000 },
    );
  });

  it('is both days around midnight, since it is Google that counts', () => {
    const reset = at('2026-11-02T08:00:00Z');
    const days = (now: number) => Object.values(quotaDaysOfCall(now));
    expect(days(reset - 60_001)).toEqual(['2026-11-01', '2026-11-01']);
    expect(days(reset - 60_000)).toEqual(['2026-11-01', '2026-11-02']);
    expect(days(reset + 1_999)).toEqual(['2026-11-01', '2026-11-02']);
    expect(days(reset + 2_000)).toEqual(['2026-11-02', '2026-11-02']);
  });
});

describe('a call that found no quota', () => {
  const instant = fc.integer({ min: at('2020-01-01T00:00Z'), max: at('2040-01-01T00:00Z') });

  it('with priority waits an hour at most, and not past the time from which the next day counts', () => {
    fc.assert(
      fc.property(instant, (now) => {
        const next = afterRefusal(now, true);
        if (next.kind !== 'wait') throw new Error('it fails');
        expect(next.forMs).toBeGreaterThan(0);
        expect(next.forMs).toBeLessThanOrEqual(HOUR);
        const { first, last } = quotaDaysOfCall(now + next.forMs);
        // It looks again on the same day, or when the day it was refused on counts no more.
        expect(first === quotaDaysOfCall(now).first || (first === last && first > quotaDaysOfCall(now).first)).toBe(
          true,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('reaches the next day by waiting', () => {
    let now = at('2026-11-01T07:00:02Z');
    let waits = 0;
    for (; quotaDay(now) === '2026-11-01'; waits++) {
      const next = afterRefusal(now, true);
      now += next.kind === 'wait' ? next.forMs : 0;
    }
    expect([new Date(now).toISOString(), waits]).toEqual(['2026-11-02T08:00:02.000Z', 25]);
  });

  it('without priority fails, but for the two seconds in which the day is in doubt', () => {
    const reset = at('2026-07-15T07:00:00Z');
    expect(afterRefusal(reset - 1, false)).toEqual({ kind: 'fail' });
    expect(afterRefusal(reset, false)).toEqual({ kind: 'wait', forMs: 2_000 });
    expect(afterRefusal(reset + 2_000, false)).toEqual({ kind: 'fail' });
  });
});
