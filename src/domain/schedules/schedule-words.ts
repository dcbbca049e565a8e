import type { ScheduleDefinition } from '../../contracts/schedules/schedule.ts';

/** Says what a schedule makes, for people. */
export function targetWords({ build, builds, task }: ScheduleDefinition): string {
  if (build) return `Build ${build.config}`;
  return builds ? `Builds ${builds.configs}` : `Task ${task?.name}`;
}

/** Says when a schedule fires, for people. */
export function timeWords({ cron, intervals, calendars, time_zone }: ScheduleDefinition): string {
  const clock = [...cron, ...calendars.map((one) => `${one.hour}:${one.minute}:${one.second} on ${one.day_of_week}`)];
  const every = intervals.map(({ every_seconds }) => `every ${every_seconds} s`);
  return [...every, ...clock.map((one) => (time_zone === 'UTC' ? one : `${one} ${time_zone}`))].join(', ');
}
