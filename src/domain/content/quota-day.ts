/** Google's quotas begin anew at midnight in this zone. */
const ZONE = 'America/Los_Angeles';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Midnight there is at 07:00 (summer) or 08:00 (winter) UTC; clocks change at 02:00, so there is one each day. */
const MIDNIGHT_UTC_MS = [7 * HOUR_MS, 8 * HOUR_MS] as const;

/**
 * Around midnight it is uncertain on which day Google counts a call: shortly before, because the call takes time to arrive
 * (at most as long as the longest request), and shortly after, because clocks differ.
 */
const UNCERTAIN_BEFORE_MS = 60_000;
const UNCERTAIN_AFTER_MS = 2_000;

const calendar = new Intl.DateTimeFormat('en', { timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit' });

/** The day, YYYY-MM-DD, on whose quota a call at this time counts. */
export function quotaDay(at: number): string {
  const parts = Object.fromEntries(calendar.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/** So many days up to one, the earliest first, YYYY-MM-DD. */
export function quotaDaysUntil(last: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => dateOf(Date.parse(last) - (count - 1 - n) * DAY_MS));
}

/** When the quota begins anew: the first moment of the next day. */
export function quotaReset(at: number): number {
  const next = Date.parse(quotaDay(at)) + DAY_MS;
  const [summer, winter] = MIDNIGHT_UTC_MS;
  return quotaDay(next + summer) === dateOf(next) ? next + summer : next + winter;
}

/** First and last of the days on which Google may count a call made now; two different ones only around midnight. */
export function quotaDaysOfCall(at: number): { first: string; last: string } {
  return { first: quotaDay(at - UNCERTAIN_AFTER_MS), last: quotaDay(at + UNCERTAIN_BEFORE_MS) };
}

/** From when on calls certainly count for a later day than calls made now. */
export function quotaOpens(at: number): number {
  return quotaReset(at - UNCERTAIN_AFTER_MS) + UNCERTAIN_AFTER_MS;
}

function dateOf(utcMidnight: number): string {
  return new Date(utcMidnight).toISOString().slice(0, 10);
}
