import { type Command, Option } from 'commander';
import type { ScheduleBody, ScheduleView } from '../../../contracts/schedules/schedule.ts';
import { collect, durationMs, runsWith } from '../../client/command.ts';
import { readJson } from '../../client/read-json.ts';
import { misuse } from '../../failure.ts';
import { note, print, printJson } from '../../output/screen.ts';
import { nextLines, readNext, schedulePath, targetOf, timesOf } from '../../schedule-words.ts';

interface Options {
  file?: string;
  config?: string;
  configs?: string;
  ref?: string;
  input?: Record<string, string>;
  cron?: string[];
  every?: number;
  timeZone?: string;
  overlap?: 'skip' | 'buffer_one' | 'cancel_other' | 'allow';
  catchUp?: number;
  jitter?: number;
  note?: string;
}

export function define(command: Command): void {
  command
    .argument('<schedule>', 'name of the schedule')
    .option('--file <json>', 'the whole schedule as for PUT /schedules/{name}; - reads standard input')
    .option('-c, --config <name>', 'build this configuration')
    .option('--configs <pattern>', 'build every configuration whose name matches, such as fedora-*')
    .option('-r, --ref <ref>', "branch or tag (default: the configuration's)")
    .option('-f, --input <name=value>', 'input of the workflow; repeat it for more', addInput)
    .option('--cron <expression>', 'when, such as "0 3 * * SUN"; repeat it for more', collect)
    .option('--every <time>', 'when, such as 6h', durationMs)
    .option('--time-zone <name>', 'of --cron, such as Europe/Berlin (default: UTC)')
    .addOption(
      new Option('--overlap <policy>', 'if the last build has not ended').choices([
        'skip',
        'buffer_one',
        'cancel_other',
        'allow',
      ]),
    )
    .option('--catch-up <time>', 'how late a missed time still fires (default: 1h)', durationMs)
    .option('--jitter <time>', 'wait for a random time up to this one', durationMs)
    .option('--note <text>', 'for people');
  runsWith<Options>(command, async ({ api, json, options }, name = '') => {
    const body = options.file === undefined ? bodyOf(options) : readJson(options.file);
    const schedule = await api.json<ScheduleView>(schedulePath(name), { method: 'PUT', body, repeatable: true });
    if (json) return printJson(schedule);
    print(`schedule ${name}, version ${schedule.version}: ${targetOf(schedule)}, ${timesOf(schedule)}`);
    const next = await readNext(api, name);
    if (next.length === 0) note('hapax: no time ever matches');
    print(...nextLines(next.slice(0, 3), schedule.time_zone));
  });
}

function bodyOf(options: Options): ScheduleBody {
  const { config, configs, ref, input, cron, every, timeZone, overlap, catchUp, jitter, note } = options;
  const fields = { ...(ref === undefined ? {} : { ref }), ...(input === undefined ? {} : { inputs: input }) };
  const seconds = (ms: number) => Math.round(ms / 1_000);
  return {
    ...(config === undefined ? {} : { build: { config, ...fields } }),
    ...(configs === undefined ? {} : { builds: { configs, ...fields } }),
    ...(cron === undefined ? {} : { cron }),
    ...(every === undefined ? {} : { intervals: [{ every_seconds: seconds(every) }] }),
    ...(timeZone === undefined ? {} : { time_zone: timeZone }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(catchUp === undefined ? {} : { catch_up_seconds: seconds(catchUp) }),
    ...(jitter === undefined ? {} : { jitter_seconds: seconds(jitter) }),
    ...(note === undefined ? {} : { note }),
  };
}

function addInput(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw misuse(`"${text}" is not an input`, 'write --input NAME=VALUE');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
