import type { Command } from 'commander';
import type { ScheduleView } from '../../../contracts/schedules/schedule.ts';
import { runsWith } from '../../client/command.ts';
import { moment } from '../../output/moments.ts';
import { note, paint, print, printJson } from '../../output/screen.ts';
import { table } from '../../output/table.ts';
import { targetOf, timesOf } from '../../schedule-words.ts';

const COLUMNS = [
  { title: 'SCHEDULE' },
  { title: 'STATUS' },
  { title: 'MAKES' },
  { title: 'WHEN', flexible: true },
  { title: 'LAST' },
  { title: 'FIRED' },
  { title: 'SKIPPED' },
];

export function define(command: Command): void {
  runsWith<object>(command, async ({ api, json }) => {
    const { schedules } = await api.json<{ schedules: ScheduleView[] }>('/schedules');
    if (json) return printJson({ schedules });
    if (schedules.length === 0) return note('there are no schedules; make one with: hapax schedules set');
    print(...table(COLUMNS, schedules.map(rowOf)));
  });
}

function rowOf(schedule: ScheduleView): string[] {
  const { name, status, last_time, fired, skipped } = schedule;
  const last = last_time === null ? '' : moment(last_time);
  return [
    name,
    paint(status, status === 'active' ? 'good' : 'faint'),
    targetOf(schedule),
    timesOf(schedule),
    last,
    String(fired),
    String(skipped),
  ];
}
