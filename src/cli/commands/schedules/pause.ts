import type { Command } from 'commander';
import type { ScheduleView } from '../../../contracts/schedules/schedule.ts';
import { runsWith } from '../../client/command.ts';
import { print, printJson } from '../../output/screen.ts';
import { schedulePath } from '../../schedule-words.ts';

/** Defines the command that pauses or resumes. The two differ in one word. */
export function defineState(command: Command, verb: 'pause' | 'resume'): void {
  command.argument('<schedule>', 'name of the schedule').option('--note <text>', 'why');
  runsWith<{ note?: string }>(command, async ({ api, json, options: { note } }, name = '') => {
    const schedule = await api.json<ScheduleView>(`${schedulePath(name)}/${verb}`, {
      method: 'POST',
      body: note === undefined ? {} : { note },
      repeatable: true,
    });
    if (json) printJson(schedule);
    else print(`schedule ${name}: ${schedule.status}`);
  });
}
