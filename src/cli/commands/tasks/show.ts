import type { Command } from 'commander';
import type { EventView } from '../../../contracts/builds/event.ts';
import type { TaskView } from '../../../contracts/tasks/task.ts';
import { instant, runsWith } from '../../client/command.ts';
import { toneOf } from '../../output/build-words.ts';
import { moment } from '../../output/moments.ts';
import { columnsOf, cut, paint, print, printJson } from '../../output/screen.ts';
import { fields } from '../../output/table.ts';
import { timelineRow } from '../../output/timeline.ts';
import { resultLines } from '../../wait-task.ts';

export function define(command: Command): void {
  command.argument('<task>', 'id of the task').option('--at <time>', 'as it was at this time', instant);
  runsWith<{ at?: string }>(command, async ({ api, json, options: { at } }, id = '') => {
    const path = `/tasks/${encodeURIComponent(id)}`;
    const task = await api.json<TaskView>(path, { query: { at } });
    if (json) return printJson(task);
    const events = await api.json<EventView[]>(`${path}/events`);
    const columns = columnsOf();
    print(
      `${paint(`task ${task.task_id}`, 'strong')}  ${paint(task.status, toneOf(task.status))}`,
      ...fields({
        name: `${task.name} in ${task.queue}`,
        args: JSON.stringify(task.args),
        kwargs: JSON.stringify(task.kwargs),
        created: moment(task.created_at),
        worker: task.worker,
        retries: task.retries || null,
      }).map((line) => cut(line, columns)),
      ...(at ? [] : ['', ...events.map((event) => cut(timelineRow(event, task.created_at), columns))]),
      ...(task.completed_at ? resultLines(task) : []),
    );
  });
}
