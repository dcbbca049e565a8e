import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timestamp } from '../../src/contracts/timestamp.ts';

describe('a time in a request', () => {
  it.each([
    '0001-01-01T00:00:00Z',
    '0001-01-01T15:59:00+15:59',
    '9999-12-31T23:59:59.999Z',
    '9999-12-31T08:00:00-15:59',
    '2024-02-29T12:00:00.123456789+05:45',
    '1969-12-31T23:59:59Z',
  ])('is taken: %s', (time) => {
    expect(timestamp.safeParse(time).success).toBe(true);
  });

  it.each([
    ['0000-01-01T00:00:00Z', /years 1 to 9999/],
    ['0000-12-31T23:59:59.999Z', /years 1 to 9999/],
    ['0001-01-01T00:00:00+00:01', /years 1 to 9999/],
    ['9999-12-31T23:59:59-00:01', /years 1 to 9999/],
    ['2026-11-21T10:00:00+16:00', /less than 16 hours/],
    ['2026-11-21T10:00:00-23:59', /less than 16 hours/],
    [`2026-11-21T10:00:00.${'0'.repeat(100_000)}Z`, /characters/],
    ['10000-01-01T00:00:00Z', /as 2026|[Ii]nvalid/],
    ['+010000-01-01T00:00:00Z', /as 2026|[Ii]nvalid/],
    ['-0001-01-01T00:00:00Z', /as 2026|[Ii]nvalid/],
    ['2026-02-29T00:00:00Z', /as 2026|[Ii]nvalid/],
    ['1900-02-29T00:00:00Z', /as 2026|[Ii]nvalid/],
    ['2026-11-21T24:00:00Z', /as 2026|[Ii]nvalid/],
    ['2016-12-31T23:59:60Z', /as 2026|[Ii]nvalid/],
    ['2026-11-21T10:00:00', /as 2026|[Ii]nvalid/],
    ['2026-11-21 10:00:00Z', /as 2026|[Ii]nvalid/],
    ['253402300800', /as 2026|[Ii]nvalid/],
    ['', /as 2026|[Ii]nvalid/],
    ['\u0000', /as 2026|[Ii]nvalid/],
  ])('is refused for one reason: %s', (time, reason) => {
    const issues = timestamp.safeParse(time).error?.issues ?? [];
    expect(issues).toHaveLength(1);
    expect(issues[0]?.message).toMatch(reason);
  });

  it('has a year of four digits in UTC wherever it is taken', () => {
    const offset = fc.tuple(
      fc.constantFrom('+', '-'),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
    );
    const twoDigits = (n: number) => String(n).padStart(2, '0');
    const time = fc
      .tuple(fc.integer({ min: 0, max: 9_999 }), fc.constantFrom('01-01T00:00', '12-31T23:59'), offset)
      .map(
        ([year, rest, [sign, h, m]]) =>
          `${String(year).padStart(4, '0')}-${rest}:00${sign}${twoDigits(h)}:${twoDigits(m)}`,
      );
    fc.assert(
      fc.property(time, (given) => {
        if (timestamp.safeParse(given).success) expect(new Date(given).toISOString()).toMatch(/^(?!0000)\d{4}-/);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});
