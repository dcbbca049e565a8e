import { type Command, Option } from 'commander';
import type { TaskSummary } from '../../../contracts/tasks/task.ts';
import { instant, positive, runsWith } from '../../client/command.ts';
import { readPages } from '../../client/pages.ts';
import { TASK_STATUSES, type TaskFilter } from '../../many-tasks.ts';
import { toneOf } from '../../output/build-words.ts';
import { moment } from '../../output/moments.ts';
import { note, paint, print, printJson } from '../../output/screen.ts';
import { table } from '../../output/table.ts';

interface Options extends TaskFilter {
  at?: string;
  limit: number;
  cursor?: string;
}

export function define(command: Command): void {
  command
    .addOption(new Option('-s, --status <status>', 'only these').choices(TASK_STATUSES))
    .option('--name <name>', 'only tasks with this name')
    .option('--queue <queue>', 'only this queue')
    .option('--since <time>', 'accepted at this time or later: ISO 8601, or 2h (ago)', instant)
    .option('--until <time>', 'accepted before this time', instant)
    .option('--at <time>', 'as it was at this time', instant)
    .option('-n, --limit <number>', 'how many', positive, 20)
    .option('--cursor <cursor>', 'go on where a list ended');
  runsWith<Options>(command, async ({ api, json, options }) => {
    const { limit, cursor, status, name, queue, since, until, at } = options;
    const query = { status, name, queue, since, until, at };
    const { items, next_cursor } = await readPages<TaskSummary>(api, '/tasks', 'tasks', { query, limit, cursor });
    if (json) return printJson({ tasks: items, next_cursor });
    if (items.length === 0) return note('there are no such tasks');
    print(...table(COLUMNS, items.map(rowOf)));
    if (next_cursor) note('there are more: use --limit, or --cursor with the next_cursor of --json');
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
