import type { Command } from 'commander';
import type { ServedTaskType, TaskParameter } from '../../../contracts/tasks/task-type.ts';
import { runsWith } from '../../client/command.ts';
import { print, printJson } from '../../output/screen.ts';
import { fields, table } from '../../output/table.ts';

const COLUMNS = [
  { title: 'NAME' },
  { title: 'QUEUE' },
  { title: 'RUNS IN' },
  { title: 'WORKERS' },
  { title: 'ARGUMENTS', flexible: true },
];

export function define(command: Command): void {
  command.argument('[name]', 'name of a task: shows it alone');
  runsWith<object>(command, async ({ api, json }, name) => {
    if (name === undefined) {
      const types = await api.json<ServedTaskType[]>('/task-types');
      if (json) return printJson({ task_types: types });
      return print(...table(COLUMNS, types.map(rowOf)));
    }
    const type = await api.json<ServedTaskType>(`/task-types/${encodeURIComponent(name)}`);
    if (json) return printJson(type);
    print(
      ...fields({
        name: type.name,
        does: type.doc,
        queue: type.queue,
        'runs in': type.runtime,
        arguments: signatureOf(type.parameters),
        'time limits': limitsOf(type),
        retries: type.max_retries,
        rate: type.rate_limit,
        version: type.version,
        workers: type.served_by.map(({ identity }) => identity).join(', ') || 'none',
      }),
    );
  });
}

function rowOf({ name, queue, runtime, served_by, parameters }: ServedTaskType): string[] {
  return [name, queue, runtime, String(served_by.length), signatureOf(parameters)];
}

function limitsOf({ soft_time_limit, time_limit }: ServedTaskType): string | null {
  if (soft_time_limit === null && time_limit === null) return null;
  return `${soft_time_limit ?? '-'} s soft, ${time_limit ?? '-'} s hard`;
}

/** Returns arguments as a Python function has them. */
function signatureOf(parameters: readonly TaskParameter[] | null): string {
  if (parameters === null) return 'any';
  const one = ({ name, kind, required, default: usual }: TaskParameter) => {
    const stars = kind === 'var_positional' ? '*' : kind === 'var_keyword' ? '**' : '';
    return `${stars}${name}${required || stars ? '' : usual === undefined ? '?' : `=${usual}`}`;
  };
  return parameters.map(one).join(', ') || 'none';
}
