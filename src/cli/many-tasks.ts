import { type Command, Option } from 'commander';
import { type Context, instant, positive, runsWith } from './client/command.ts';
import { operateEach } from './dead-letters.ts';
import { EXIT, type Exit, misuse } from './failure.ts';
import { type Found, operateMatching, type Words } from './operate-matching.ts';
import { confirm, confirmable } from './output/confirm.ts';
import { noteRefused, printOperated } from './output/operated.ts';
import { print, printJson } from './output/screen.ts';

/** States of tasks under Celery's names. */
export const TASK_STATUSES = ['PENDING', 'STARTED', 'RETRY', 'SUCCESS', 'FAILURE', 'REVOKED'];

/** A filter for the tasks of a command. */
export interface TaskFilter {
  status?: string;
  name?: string;
  queue?: string;
  since?: string;
  until?: string;
}

interface Options extends TaskFilter {
  limit: number;
  dryRun?: boolean;
  yes?: boolean;
}

interface Operation extends Pick<Words, 'asks' | 'done'> {
  /** As in the path of the API. */
  verb: 'retry' | 'cancel';
}

/** Defines a command that operates on one task, on several, or on all that match. */
export function operatesTasks(command: Command, operation: Operation): void {
  command.argument('[tasks...]', 'ids of tasks; or name them by a filter');
  confirmable(command)
    .addOption(new Option('-s, --status <status>', 'all that are in this state').choices(TASK_STATUSES))
    .option('--name <name>', 'all with this name')
    .option('--queue <queue>', 'all in this queue')
    .option('--since <time>', 'all accepted at this time or later: ISO 8601, or 2h (ago)', instant)
    .option('--until <time>', 'all accepted before this time', instant)
    .option('-n, --limit <number>', 'how many at most, the newest first', positive, 100)
    .option('--dry-run', 'only say how many');
  runsWith<Options>(command, async (context, ...given) => {
    const ids = given.flat();
    const { status, name, queue, since, until, limit, dryRun } = context.options;
    const filter = { status, name, queue, since, until };
    const isFiltered = Object.values(filter).some((value) => value !== undefined);
    if (ids.length > 0 && isFiltered) throw misuse('Tasks are named twice', 'give either ids or a filter');
    if (ids.length === 0 && !isFiltered)
      throw misuse('Nothing says which tasks', 'name ids, or a filter such as --queue');
    if (ids.length === 1 && !dryRun) return operateOne(context, operation, ids[0]!);
    const named = [...new Set(ids)];
    if (named.length > 0) return (dryRun ? tryNamed : operateNamed)(context, operation, named);
    return operateMatching(context, { ...operation, named: tasksOf }, `/tasks/${operation.verb}`, { ...filter, limit });
  });
}

async function operateOne({ api, json }: Context<Options>, { verb }: Operation, id: string): Promise<undefined> {
  const path = `/tasks/${encodeURIComponent(id)}/${verb}`;
  const answer = await api.json<{ task_id: string; message: string }>(path, { method: 'POST', body: {} });
  if (json) printJson(answer);
  else print(`task ${answer.task_id}: ${answer.message.toLowerCase()}`);
}

/** Operates on tasks one after the other, so that it can say about each why it was refused. */
async function operateNamed(
  { api, json, options }: Context<Options>,
  { verb, asks, done }: Operation,
  ids: string[],
): Promise<Exit> {
  await confirm(`This ${asks} ${tasksOf(ids.length)}.`, options);
  const { stoppedBy, ...operated } = await operateEach(ids, (id) =>
    api.json(`/tasks/${encodeURIComponent(id)}/${verb}`, { method: 'POST', body: {} }),
  );
  const exit = printOperated(operated, json ? { ...operated, more: false } : undefined, done);
  if (stoppedBy) throw stoppedBy;
  return exit;
}

async function tryNamed({ api, json }: Context<Options>, { verb, done }: Operation, ids: string[]): Promise<Exit> {
  const sample: unknown[] = [];
  const { refused, stoppedBy } = await operateEach(ids, async (id) => {
    const body = { ids: [id], dry_run: true };
    const found = await api.json<Found>(`/tasks/${verb}`, { method: 'POST', body });
    if (found.count === 0) throw misuse('there is no such task, or its state does not allow it');
    sample.push(...found.sample);
  });
  if (stoppedBy) throw stoppedBy;
  if (json) printJson({ count: sample.length, more: false, sample, refused });
  else {
    noteRefused(refused);
    print(`${tasksOf(sample.length)} would be ${done}`);
  }
  return refused.length === 0 ? EXIT.success : EXIT.failed;
}

const tasksOf = (count: number) => `${count} ${count === 1 ? 'task' : 'tasks'}`;
