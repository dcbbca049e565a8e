import type { ScheduleView } from '../contracts/schedules/schedule.ts';
import type { Api } from './client/api.ts';
import { span } from './output/moments.ts';

export const schedulePath = (name: string) => `/schedules/${encodeURIComponent(name)}`;

/** Returns what a schedule makes, for people. */
export function targetOf({ build, builds, task }: Pick<ScheduleView, 'build' | 'builds' | 'task'>): string {
  if (build) return `build ${build.config}`;
  return builds ? `builds ${builds.configs}` : `task ${task?.name}`;
}

/** Returns when a schedule fires, for people. */
export function timesOf({
  cron,
  intervals,
  calendars,
}: Pick<ScheduleView, 'cron' | 'intervals' | 'calendars'>): string {
  return [
    ...cron,
    ...intervals.map(({ every_seconds }) => `every ${span(every_seconds * 1_000)}`),
    ...calendars.map((one) => `${one.hour}:${one.minute}:${one.second} ${one.day_of_week}`),
  ].join(', ');
}

/** Reads the next times of a schedule. */
export async function readNext(api: Api, name: string): Promise<string[]> {
  return (await api.json<{ times: string[] }>(`${schedulePath(name)}/next`)).times;
}

/** Returns times in the schedule's time zone and in UTC. */
export function nextLines(times: readonly string[], timeZone: string): string[] {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const day = new Intl.DateTimeFormat('en', { timeZone, weekday: 'short' });
  return times.map((time) => {
    const at = new Date(time);
    return `${day.format(at)} ${clock.format(at)} ${timeZone}  ${time}`;
  });
}
