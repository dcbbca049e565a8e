/** Google's quotas reset at midnight in this zone. */
const ZONE = 'America/Los_Angeles';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Midnight there is at 07:00 (summer) or 08:00 (winter) UTC. Clocks change at 02:00, so each day has one midnight. */
const MIDNIGHT_UTC_MS = [7 * HOUR_MS, 8 * HOUR_MS] as const;

/**
 * Around midnight it is uncertain on which day Google counts a call. A call shortly before takes time to arrive (at most as long as
 * the longest request). Shortly after, clocks may still differ.
 */
const UNCERTAIN_BEFORE_MS = 60_000;
const UNCERTAIN_AFTER_MS = 2_000;

const calendar = new Intl.DateTimeFormat('en', { timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit' });

/** Returns the day, YYYY-MM-DD, whose quota a call at this time uses. */
export function quotaDay(at: number): string {
  const parts = Object.fromEntries(calendar.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/** Returns `count` days that end with `last`, the earliest first, YYYY-MM-DD. */
export function quotaDaysUntil(last: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => dateOf(Date.parse(last) - (count - 1 - n) * DAY_MS));
}

/** Returns when the quota resets: the first moment of the next day. */
export function quotaReset(at: number): number {
  const next = Date.parse(quotaDay(at)) + DAY_MS;
  const [summer, winter] = MIDNIGHT_UTC_MS;
  return quotaDay(next + summer) === dateOf(next) ? next + summer : next + winter;
}

/** Returns the first and the last day on which Google may count a call made now. They differ only around midnight. */
export function quotaDaysOfCall(at: number): { first: string; last: string } {
  return { first: quotaDay(at - UNCERTAIN_AFTER_MS), last: quotaDay(at + UNCERTAIN_BEFORE_MS) };
}

/** Returns the time from which calls certainly count for a later day than calls made now. */
export function quotaOpens(at: number): number {
  return quotaReset(at - UNCERTAIN_AFTER_MS) + UNCERTAIN_AFTER_MS;
}

function dateOf(utcMidnight: number): string {
  return new Date(utcMidnight).toISOString().slice(0, 10);
}
