import { html } from 'hono/html';
import { readNumberCursor, writeCursor } from '../../commands/cursor.ts';
import { buildListQuery } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import { listBuilds } from '../../store/builds/build-list.ts';
import { findLogHead } from '../../store/record/stream-list-changed.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { statusBadge } from '../parts/badge.ts';
import { filterForm } from '../parts/filter-form.ts';
import { emptyState } from '../parts/notice.ts';
import { type Column, pager, table } from '../parts/table.ts';
import { between, time } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import type { Console, View } from '../view.ts';

const query = buildListQuery.omit({ limit: true }).strip();

const STATUSES = [
  ['queued', 'Queued'],
  ['in_progress', 'In progress'],
  ['success', 'Success'],
  ['failure', 'Failure'],
  ['cancelled', 'Cancelled'],
] as const;

const PAGE = 50;

/** The list of builds. */
export function builds(console: Console, { db }: ConsoleDependencies): void {
  console.get('/builds', async (c) => {
    const { cursor, ...filter } = valid(query, queryOf(c));
    const since = await findLogHead(db);
    const { items, end } = await listBuilds(db, { ...filter, limit: PAGE, after: readNumberCursor(cursor) });
    const form = filterForm('builds', [
      { kind: 'text', name: 'ref', label: 'Ref', value: filter.ref },
      { kind: 'choice', name: 'status', label: 'Status', value: filter.status, any: 'All', choices: STATUSES },
    ]);
    const rows = table({ caption: 'Builds', columns: columns(c.var.view), rows: items, idOf: ({ id }) => String(id) });
    const list = items.length > 0 ? rows : emptyState('No build matches.');
    return page(c, {
      title: 'Builds',
      place: 'builds',
      content: html`${form}${list}${pager('builds', filter, { cursor, next: writeCursor(end) })}`,
      live: { topics: ['build'], since },
    });
  });
}

function columns(view: View): Array<Column<Build>> {
  return [
    { title: 'Build', kind: 'tight', cell: ({ id }) => html`<a href="builds/${id}">${id}</a>` },
    { title: 'Status', kind: 'tight', cell: statusBadge },
    { title: 'Ref', cell: ({ request }) => html`<code>${request.ref}</code>` },
    { title: 'Created', kind: 'tight', cell: ({ created_at }) => time(view, created_at) },
    { title: 'Took', kind: 'number', cell: (build) => between(view, build.started_at, build.completed_at) },
  ];
}
