import type { Command } from 'commander';
import type { ScheduleView } from '../../../contracts/schedules/schedule.ts';
import { runsWith } from '../../client/command.ts';
import { note, print, printJson } from '../../output/screen.ts';
import { nextLines, readNext, schedulePath } from '../../schedule-words.ts';

export function define(command: Command): void {
  command.argument('<schedule>', 'name of the schedule');
  runsWith<object>(command, async ({ api, json }, name = '') => {
    const times = await readNext(api, name);
    if (json) return printJson({ times });
    if (times.length === 0) return note('it never fires again');
    const { time_zone } = await api.json<ScheduleView>(schedulePath(name));
    print(...nextLines(times, time_zone));
  });
}
