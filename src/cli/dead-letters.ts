import { type Command, Option } from 'commander';
import type { DeadLetterView } from '../contracts/builds/operator.ts';
import type { Query } from './client/api.ts';
import { instant, positive } from './client/command.ts';
import { moment } from './output/moments.ts';
import { paint } from './output/screen.ts';
import { table } from './output/table.ts';

/** Which dead letters are meant. */
export interface FilterOptions {
  kind?: string;
  repository?: string;
  ref?: string;
  configId?: number;
  name?: string;
  queue?: string;
  since?: string;
  until?: string;
}

export function withFilter(command: Command): Command {
  return command
    .addOption(new Option('--kind <kind>', 'only these').choices(['build', 'task', 'message']))
    .option('--repository <owner/name>', 'builds of this repository')
    .option('-r, --ref <ref>', 'builds of this branch or tag')
    .option('--config-id <id>', 'builds of this configuration', positive)
    .option('--name <name>', 'tasks with this name')
    .option('--queue <queue>', 'tasks and messages of this queue')
    .option('--since <time>', 'accepted at this time or later: ISO 8601, or 2h (ago)', instant)
    .option('--until <time>', 'accepted before this time', instant);
}

export function queryOf({
  kind,
  repository,
  ref,
  configId: config_id,
  name,
  queue,
  since,
  until,
}: FilterOptions): Query {
  return { kind, repository, ref, config_id, name, queue, since, until };
}

const COLUMNS = [
  { title: 'DEAD LETTER' },
  { title: 'WHAT' },
  { title: 'CREATED' },
  { title: 'REASON', flexible: true },
];

export function deadLetterLines(letters: readonly DeadLetterView[]): string[] {
  return table(
    COLUMNS,
    letters.map((letter) => [letter.id, whatOf(letter), moment(createdOf(letter)), reasonOf(letter)]),
  );
}

function whatOf(letter: DeadLetterView): string {
  if (letter.kind === 'build') return letter.build.ref;
  return letter.kind === 'task' ? letter.task.name : (letter.message.task ?? letter.message.queue);
}

function createdOf(letter: DeadLetterView): string {
  if (letter.kind === 'message') return letter.message.first_refused_at;
  return letter.kind === 'build' ? letter.build.created_at : letter.task.created_at;
}

function reasonOf({ reason, needs_attention }: DeadLetterView): string {
  return needs_attention ? `${paint('needs attention', 'warn')}: ${reason ?? ''}` : (reason ?? '');
}
