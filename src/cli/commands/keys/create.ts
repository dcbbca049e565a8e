import type { Command } from 'commander';
import type { KeyBody, NewKey } from '../../../contracts/keys/key.ts';
import { RIGHTS } from '../../../contracts/keys/key-event.ts';
import { collect, durationMs, positive, runsWith } from '../../client/command.ts';
import { misuse } from '../../failure.ts';
import { note, print, printJson } from '../../output/screen.ts';

interface Options {
  rights: string;
  repository?: string[];
  queue?: string[];
  expires?: number;
  requestsPerMinute?: number;
  buildsInFlight?: number;
  tasksInFlight?: number;
}

export function define(command: Command): void {
  command
    .argument('<name>', 'who uses the key, such as nightly')
    .requiredOption('--rights <list>', `what it may do, comma separated: ${RIGHTS.join(', ')}`)
    .option('--repository <owner/name>', 'reach only this repository, or OWNER/*; repeat it for more', collect)
    .option('--queue <name>', 'reach only tasks of this queue; repeat it for more', collect)
    .option('--expires <time>', 'refuse it after this time, such as 30d or 12h (default: never)', durationMs)
    .option('--requests-per-minute <number>', 'limit its requests', positive)
    .option('--builds-in-flight <number>', 'limit its builds that have not ended', positive)
    .option('--tasks-in-flight <number>', 'limit its tasks that have not ended', positive);
  runsWith<Options>(command, async ({ api, json, options }, name = '') => {
    const made = await api.json<NewKey>('/keys', { method: 'POST', body: bodyOf(name, options) });
    if (json) return printJson(made);
    note(`${made.id} (${made.rights.join(', ')}). This is the key; it is not shown again:`);
    print(made.key);
  });
}

function bodyOf(name: string, options: Options): KeyBody {
  const rights = options.rights.split(',').map((right) => RIGHTS.find((known) => known === right.trim()));
  if (rights.includes(undefined)) throw misuse(`--rights ${options.rights}`, `write some of ${RIGHTS.join(', ')}`);
  const { repository, queue, expires, requestsPerMinute, buildsInFlight, tasksInFlight } = options;
  return {
    name,
    rights: rights as KeyBody['rights'],
    ...(repository ? { repositories: repository } : {}),
    ...(queue ? { queues: queue } : {}),
    ...(expires === undefined ? {} : { expires_at: new Date(Date.now() + expires).toISOString() }),
    ...(requestsPerMinute === undefined ? {} : { requests_per_minute: requestsPerMinute }),
    ...(buildsInFlight === undefined ? {} : { builds_in_flight: buildsInFlight }),
    ...(tasksInFlight === undefined ? {} : { tasks_in_flight: tasksInFlight }),
  };
}
