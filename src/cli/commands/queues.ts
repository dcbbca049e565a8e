import type { Command } from 'commander';
import type { Queue } from '../../contracts/tasks/queue.ts';
import { runsWith } from '../client/command.ts';
import { span } from '../output/moments.ts';
import { print, printJson } from '../output/screen.ts';
import { table } from '../output/table.ts';

const COLUMNS = ['QUEUE', 'WAITING', 'OLDEST', 'RUNNING', 'WORKERS'].map((title) => ({ title }));

export function define(command: Command): void {
  runsWith<object>(command, async ({ api, json }) => {
    const queues = await api.json<Queue[]>('/queues');
    if (json) return printJson({ queues });
    print(
      ...table(
        COLUMNS,
        queues.map(({ name, depth, oldest_age_seconds: age, in_flight, pollers }) => [
          name,
          String(depth),
          age === null ? '' : span(age * 1_000),
          String(in_flight),
          String(pollers),
        ]),
      ),
    );
  });
}
