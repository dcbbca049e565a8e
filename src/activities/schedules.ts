import { Context } from '@temporalio/activity';
import type { SchedulePort } from '../workflows/ports/schedules.ts';
import { NotYet } from './failures.ts';

/** Fires a scheduled time. Returns its outcome, or how long to wait before the next look. */
export type FireScheduled = (
  schedule: string,
  time: string,
  version: number | undefined,
) => Promise<
  Awaited<ReturnType<SchedulePort['fireSchedule']>> | { kind: 'wait'; reason: string; again_ms: number | null }
>;

const SOON_MS = 200;
const SELDOM_MS = 5_000;

/** Returns the activity of firings. If many wait for a turn, each asks less and less often. */
export function scheduleActivities(fire: FireScheduled): SchedulePort {
  return {
    async fireSchedule({ schedule, time, version }) {
      const outcome = await fire(schedule, time, version);
      if (outcome.kind !== 'wait') return outcome;
      const { attempt } = Context.current().info;
      const pause = Math.min(SOON_MS * 2 ** Math.min(attempt - 1, 10), SELDOM_MS);
      throw new NotYet(outcome.reason, outcome.again_ms ?? Math.round(pause * (0.5 + Math.random() / 2)));
    },
  };
}
