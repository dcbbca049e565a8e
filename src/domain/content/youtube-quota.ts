import type { Settings } from '../../contracts/settings.ts';
import { quotaOpens } from './quota-day.ts';

/** The quota of the YouTube Data API, as the operator sets it. Google grants 10,000 units a day unless asked for more. */
export interface QuotaPolicy {
  /** Units a day. */
  dailyUnits: number;
  /** How many of these units only priority calls may use. */
  priorityReserved: number;
}

export function quotaPolicyOf(
  settings: Pick<Settings, 'YOUTUBE_DAILY_QUOTA' | 'YOUTUBE_PRIORITY_RESERVED'>,
): QuotaPolicy {
  return { dailyUnits: settings.YOUTUBE_DAILY_QUOTA, priorityReserved: settings.YOUTUBE_PRIORITY_RESERVED };
}

/** Returns how many units may be used in a day, including those of this call. */
export function quotaCeiling(policy: QuotaPolicy, priority: boolean): number {
  return priority ? policy.dailyUnits : policy.dailyUnits - policy.priorityReserved;
}

/** Returns how much of a day's units is used and left. */
export function usageOf({ dailyUnits }: QuotaPolicy, used: number) {
  return {
    units_used: used,
    units_remaining: Math.max(0, dailyUnits - used),
    percentage_used: dailyUnits === 0 ? 100 : Math.round((used / dailyUnits) * 10_000) / 100,
  };
}

/** Longest pause before a call that waits for quota checks again (seed 003: one hour). */
const LOOK_AGAIN_MS = 3_600_000;

/** A pause so short that even a call without priority waits for it: just after midnight, until it is certain which day counts. */
const SHORT_MS = 2_000;

/**
 * Says what a call does when no quota is left: it fails, or checks again after a pause. The pause is an hour at most and ends with
 * the reset at the latest.
 */
export function afterRefusal(at: number, priority: boolean): { kind: 'fail' } | { kind: 'wait'; forMs: number } {
  const opensInMs = quotaOpens(at) - at;
  if (!priority && opensInMs > SHORT_MS) return { kind: 'fail' };
  return { kind: 'wait', forMs: Math.min(LOOK_AGAIN_MS, opensInMs) };
}
