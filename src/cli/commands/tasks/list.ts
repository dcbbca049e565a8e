import { type Command, Option } from 'commander';
import type { TaskSummary } from '../../../contracts/tasks/task.ts';
import { instant } from '../../client/command.ts';
import { listsPages } from '../../list-pages.ts';
import { TASK_STATUSES, type TaskFilter } from '../../many-tasks.ts';
import { toneOf } from '../../output/build-words.ts';
import { moment } from '../../output/moments.ts';
import { paint } from '../../output/screen.ts';
import { table } from '../../output/table.ts';

interface Options extends TaskFilter {
  at?: string;
}

export function define(command: Command): void {
  command
    .addOption(new Option('-s, --status <status>', 'only these').choices(TASK_STATUSES))
    .option('--name <name>', 'only tasks with this name')
    .option('--queue <queue>', 'only this queue')
    .option('--since <time>', 'accepted at this time or later: ISO 8601, or 2h (ago)', instant)
    .option('--until <time>', 'accepted before this time', instant)
    .option('--at <time>', 'as it was at this time', instant);
  listsPages<TaskSummary, Options>(command, {
    path: '/tasks',
    name: 'tasks',
    query: ({ status, name, queue, since, until, at }) => ({ status, name, queue, since, until, at }),
    lines: (tasks) => table(COLUMNS, tasks.map(rowOf)),
  });
}

const COLUMNS = [
  { title: 'TASK' },
  { title: 'STATUS' },
  { title: 'NAME' },
  { title: 'CREATED' },
  { title: 'ERROR', flexible: true },
];

function rowOf({ task_id, status, name, created_at, error }: TaskSummary): string[] {
  return [
    task_id,
    paint(status, toneOf(status)),
    name,
    moment(created_at),
    error ? `${error.type}: ${error.message}` : '',
  ];
}
