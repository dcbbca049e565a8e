import { activityInfo } from '@temporalio/activity';

/**
 * Returns how long ago a time was, in milliseconds. Temporal's clock counts, because workflows read it, and so does the worker's if it is
 * ahead: the attempt may have waited for a worker since it was scheduled.
 * @param time milliseconds since the epoch.
 */
export function ageMs(time: number): number {
  return Math.max(0, activityInfo().currentAttemptScheduledTimestampMs - time, Date.now() - time);
}
