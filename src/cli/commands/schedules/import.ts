import type { Command } from 'commander';
import type { ScheduleView } from '../../../contracts/schedules/schedule.ts';
import { type BeatEntry, readBeatSchedule } from '../../beat-schedule.ts';
import { runsWith } from '../../client/command.ts';
import { readJson } from '../../client/read-json.ts';
import { EXIT, Failure } from '../../failure.ts';
import { note, print, printJson } from '../../output/screen.ts';
import { schedulePath, timesOf } from '../../schedule-words.ts';

interface Options {
  apply?: boolean;
  timeZone: string;
}

export function define(command: Command): void {
  command
    .argument('<file>', 'JSON of beat_schedule; - reads standard input')
    .option('--time-zone <name>', "Celery's setting timezone", 'UTC')
    .option('--apply', 'make the schedules; without it, they are only checked and shown')
    .addHelpText('after', '\ndocs/schedules.md says how to write beat_schedule as JSON.');
  runsWith<Options>(command, async ({ api, json, options }, file = '') => {
    const entries = readBeatSchedule(readJson(file), options.timeZone);
    const outcomes: Outcome[] = [];
    for (const entry of entries) outcomes.push(await outcomeOf(entry));
    const failed = outcomes.filter(({ fault }) => fault !== undefined).length;
    if (json) printJson({ applied: options.apply ?? false, schedules: outcomes });
    else {
      print(...outcomes.map(lineOf));
      if (failed > 0) note(`${failed} of ${outcomes.length} cannot be schedules`);
      if (!options.apply) note('nothing was made; --apply makes them');
    }
    return failed > 0 ? EXIT.failed : EXIT.success;

    async function outcomeOf({ entry, name, body, fault }: BeatEntry): Promise<Outcome> {
      if (!body) return { entry, name, outcome: 'refused', fault };
      const query = options.apply ? {} : { dry_run: true };
      try {
        await api.json<ScheduleView>(schedulePath(name), { method: 'PUT', query, body, repeatable: true });
        return { entry, name, outcome: options.apply ? 'made' : 'would be made', body };
      } catch (error) {
        // If Hapax refuses one, the others are still imported.
        if (!(error instanceof Failure) || error.exit !== EXIT.usage) throw error;
        return { entry, name, outcome: 'refused', fault: error.message };
      }
    }
  });
}

interface Outcome {
  entry: string;
  name: string;
  outcome: 'made' | 'would be made' | 'refused';
  body?: BeatEntry['body'];
  fault?: string | undefined;
}

function lineOf({ entry, name, outcome, body, fault }: Outcome): string {
  const called = entry === name ? name : `${name} (${entry})`;
  if (!body) return `${called}: refused: ${fault}`;
  const when = timesOf({ cron: body.cron ?? [], intervals: (body.intervals ?? []) as never, calendars: [] });
  return `${called}: ${outcome}: task ${body.task?.name}, ${when}`;
}
