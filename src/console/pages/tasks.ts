import { html } from 'hono/html';
import { readTextCursor, writeCursor } from '../../commands/cursor.ts';
import { FITTING_STATUSES } from '../../commands/tasks/operate-tasks.ts';
import { taskListQuery } from '../../contracts/tasks/task.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { countTasks } from '../../store/tasks/task-count.ts';
import { listTasks } from '../../store/tasks/task-list.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { filterForm } from '../parts/filter-form.ts';
import { manyForm } from '../parts/many.ts';
import { emptyState } from '../parts/notice.ts';
import { pager, table } from '../parts/table.ts';
import { TASK_STATUS_CHOICES, taskColumns } from '../parts/task-cells.ts';
import { countOf } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import type { Console } from '../view.ts';
import { TASK_OPERATIONS } from './many-tasks.ts';

const query = taskListQuery.omit({ limit: true, at: true, count: true }).strip();

const PAGE = 50;

/** Adds the list of tasks. */
export function tasks(console: Console, { db, taskTypes }: ConsoleDependencies): void {
  console.get('/tasks', async (c) => {
    const { cursor, ...filter } = valid(query, queryOf(c));
    const since = await findLogEnd(db);
    const [types, queues] = await Promise.all([taskTypes.list(), taskTypes.queues()]);
    const [{ items, end }, matching] = await Promise.all([
      listTasks(db, { ...filter, limit: PAGE, after: readTextCursor(cursor) }),
      countTasks(db, filter),
    ]);
    const form = filterForm('tasks', filter, [
      { kind: 'search', name: 'q', label: 'Text', hint: 'Id, argument, error' },
      {
        kind: 'choice',
        name: 'status',
        label: 'Status',
        any: 'All',
        choices: TASK_STATUS_CHOICES,
      },
      {
        kind: 'choice',
        name: 'queue',
        label: 'Queue',
        any: 'All',
        choices: named([...queues.keys()]),
      },
      { kind: 'text', name: 'name', label: 'Name', suggestions: types.map(({ name }) => name) },
    ]);
    const actions = TASK_OPERATIONS.filter(
      ({ operation }) => !filter.status || FITTING_STATUSES[operation].includes(filter.status),
    );
    const isFiltered = Object.values(filter).some((value) => value !== undefined);
    const rows = table({
      caption: 'Tasks',
      columns: taskColumns(c.var.view),
      rows: items,
      idOf: ({ id }) => encodeURIComponent(id),
      selectable: c.var.view.may('operate') && actions.length > 0 ? ({ id }) => id : undefined,
    });
    const list =
      items.length > 0
        ? manyForm(c.var.view, rows, { actions, filter, matching: filter.status && matching })
        : emptyState(
            end ? 'None of the newest tasks matches.' : isFiltered ? 'No task matches.' : 'There is no task yet.',
            isFiltered
              ? 'Clear the filter to see all.'
              : html`Ingest a URL on the page <a href="content">Content</a>, or send one with <code>POST /tasks</code>.`,
          );
    return page(c, {
      title: 'Tasks',
      place: 'tasks',
      actions: html`<span class="hint">${countOf(matching, 'task')}</span>`,
      content: html`${form}${list}${pager('tasks', filter, { cursor, next: writeCursor(end) })}`,
      live: { topics: ['task'], since },
    });
  });
}

function named(names: readonly string[]): Array<readonly [string, string]> {
  return names.map((name) => [name, name] as const);
}
