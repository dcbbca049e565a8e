import { z } from 'zod';
import { LIMITS } from './budgets.ts';

/**
 * Says whether Postgres, Python and JSON can all hold an instant: its year is from 1 to 9999 in UTC. False for an invalid date. Outside
 * these years, JavaScript writes a year of six digits, which nothing else reads.
 */
export function isStorableInstant(instant: Date): boolean {
  const year = instant.getUTCFullYear();
  return year >= LIMITS.times.firstYear && year <= LIMITS.times.lastYear;
}

/** Says whether Postgres reads the offset of a time: it accepts less than 16 hours either way (datetime.c, MAX_TZDISP_HOUR). */
function hasStorableOffset(time: string): boolean {
  const hours = /[+-](\d\d):?\d\d$/.exec(time)?.[1];
  return Number(hours ?? 0) <= LIMITS.times.offsetHours;
}

/** An instant in ISO 8601 with its offset. */
export const timestamp = z.iso
  .datetime({ offset: true, abort: true })
  .refine((time) => time.length <= LIMITS.times.characters, {
    error: `must have at most ${LIMITS.times.characters} characters`,
    abort: true,
  })
  .refine(
    (time) => isStorableInstant(new Date(time)) && hasStorableOffset(time),
    'must be a time in the years 1 to 9999 with an offset of less than 16 hours',
  )
  .meta({ example: '2026-11-21T10:00:00.000Z' });

/** Query parameter `at`. */
export const asOf = timestamp.optional().meta({
  description:
    'Show the state at this time. The `timestamp` or `recorded_at` of an event gives the state with that event and all before it.',
});
