import { type Command, Option } from 'commander';
import type { DeadLetterView } from '../contracts/builds/operator.ts';
import type { Query } from './client/api.ts';
import { instant, positive } from './client/command.ts';
import { EXIT, Failure } from './failure.ts';
import { moment } from './output/moments.ts';
import type { Operated } from './output/operated.ts';
import { paint } from './output/screen.ts';
import { table } from './output/table.ts';

/** The options that filter dead letters. */
export interface FilterOptions {
  kind?: string;
  repository?: string;
  ref?: string;
  configId?: number;
  name?: string;
  queue?: string;
  since?: string;
  until?: string;
  cause?: string;
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
    .option('--until <time>', 'accepted before this time', instant)
    .option('--cause <cause>', 'with this cause: needs_attention or a conclusion, type of an error, code of a refusal');
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
  cause,
}: FilterOptions): Query {
  return { kind, repository, ref, config_id, name, queue, since, until, cause };
}

/** Operates on one dead letter after the other. Goes on after a refusal. @returns also what ended the work before the last of them. */
export async function operateEach(
  ids: readonly string[],
  operate: (id: string) => Promise<unknown>,
): Promise<Operated & { stoppedBy: unknown }> {
  const operated = { done: [] as string[], refused: [] as Operated['refused'], stoppedBy: undefined };
  for (const id of ids) {
    try {
      await operate(id);
      operated.done.push(id);
    } catch (error) {
      if (!isRefusal(error)) return { ...operated, stoppedBy: error };
      operated.refused.push({ id, detail: error.message });
    }
  }
  return operated;
}

/** Says whether Hapax refused the request, and would refuse it again. */
function isRefusal(error: unknown): error is Failure {
  return error instanceof Failure && error.exit === EXIT.usage;
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
