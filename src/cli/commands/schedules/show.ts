import type { Command } from 'commander';
import type { FeedEvent } from '../../../contracts/event-feed.ts';
import type { ScheduleView } from '../../../contracts/schedules/schedule.ts';
import { runsWith } from '../../client/command.ts';
import { moment } from '../../output/moments.ts';
import { print, printJson } from '../../output/screen.ts';
import { fields } from '../../output/table.ts';
import { schedulePath, targetOf, timesOf } from '../../schedule-words.ts';

const LAST_EVENTS = 10;

export function define(command: Command): void {
  command.argument('<schedule>', 'name of the schedule');
  runsWith<object>(command, async ({ api, json }, name = '') => {
    const schedule = await api.json<ScheduleView>(schedulePath(name));
    if (json) return printJson(schedule);
    const { time_zone, overlap, catch_up_seconds, jitter_seconds, start_at, end_at, note } = schedule;
    print(
      ...fields({
        schedule: name,
        status: schedule.paused_note ? `${schedule.status} (${schedule.paused_note})` : schedule.status,
        makes: targetOf(schedule),
        when: timesOf(schedule),
        'time zone': time_zone,
        overlap,
        'catches up': `${catch_up_seconds} s`,
        jitter: jitter_seconds === 0 ? null : `${jitter_seconds} s`,
        from: start_at,
        until: end_at,
        note,
        'changed by': `${schedule.changed_by}, ${moment(schedule.changed_at)}, version ${schedule.version}`,
        'last made': schedule.last_made.map(({ made }) => made).join(', '),
        fired: schedule.fired,
        skipped: schedule.skipped,
      }),
      '',
      ...(await readLastEvents(api, name)).map(lineOf),
    );
  });
}

async function readLastEvents(api: Parameters<Parameters<typeof runsWith>[1]>[0]['api'], name: string) {
  const last: FeedEvent[] = [];
  for (let after = 0, atEnd = false; !atEnd; ) {
    const query = { stream: `schedule:${name}`, limit: 200, after };
    const page = await api.json<{ events: FeedEvent[]; next_after: number; at_end: boolean }>('/events', { query });
    last.push(...page.events);
    last.splice(0, last.length - LAST_EVENTS);
    after = page.next_after;
    atEnd = page.at_end;
  }
  return last;
}

function lineOf({ timestamp, event_type, event_data = {} }: FeedEvent): string {
  const { time, reason, detail, made } = event_data as Record<string, unknown>;
  const what = Array.isArray(made) ? made.map((one: { made: string }) => one.made).join(', ') : undefined;
  const told = [time, what, reason, detail].filter((one) => typeof one === 'string');
  return [moment(timestamp), event_type.replace('schedule_', ''), ...told].join('  ');
}
