import { describe, expect, it } from 'vitest';
import { paceOf, readRate, takeTurn } from '../../src/domain/tasks/rate.ts';

/** What Celery 5.7 says: kombu's TokenBucket gets celery.utils.time.rate(TEXT) per second. */
const RATES: ReadonlyArray<[text: string, said: { intervalMs: number } | { fault: string }]> = [
  ['200/s', { intervalMs: 5 }],
  ['10', { intervalMs: 100 }],
  ['0.5/s', { intervalMs: 2_000 }],
  ['10/m', { intervalMs: 6_000 }],
  ['100/h', { intervalMs: 36_000 }],
  ['0', { intervalMs: 0 }],
  ['', { intervalMs: 0 }],
  ['foo', { fault: `ValueError("could not convert string to float: 'foo'")` }],
  ['1/d', { fault: "KeyError('d')" }],
];

it.each(RATES)('the rate %j', (text, said) => {
  expect(readRate(text)).toEqual(said);
});

describe('turns', () => {
  it('come an interval apart, however many ask, and each is told its own', () => {
    let pace = paceOf(1_000);
    const waits = [0, 0, 0, 0].map(() => {
      const turn = takeTurn(pace, 5_000);
      pace = turn.pace;
      return turn.waitMs;
    });
    expect(waits).toEqual([0, 1_000, 2_000, 3_000]);
    // They come back when they were told, each a little late, and none has to wait again.
    for (const late of [6_030, 7_080, 8_010]) {
      const turn = takeTurn(pace, late);
      pace = turn.pace;
      expect(turn.waitMs).toBe(0);
    }
  });

  it('are not saved up while nobody asks', () => {
    const { pace } = takeTurn(paceOf(1_000), 0);
    const late = takeTurn(pace, 3_600_000);
    expect(late.waitMs).toBe(0);
    expect(takeTurn(late.pace, 3_600_000).waitMs).toBe(1_000);
  });
});
