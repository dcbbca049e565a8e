import { html } from 'hono/html';
import { z } from 'zod';
import { FITTING_BUILD_STATUSES } from '../../commands/builds/operate-builds.ts';
import { readNumberCursor, writeCursor } from '../../commands/cursor.ts';
import { buildListQuery } from '../../contracts/builds/build.ts';
import { countBuilds, findOldestBuild } from '../../store/builds/build-count.ts';
import { listBuilds, matchesUnchanging } from '../../store/builds/build-list.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import { listConfigurations } from '../../store/builds/configuration-list.ts';
import { listFailedSteps } from '../../store/builds/failed-step-list.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { listStreamsAt } from '../../store/record/stream-list-at.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { buildColumns } from '../parts/build-columns.ts';
import { type FilterField, filterForm } from '../parts/filter-form.ts';
import { icon } from '../parts/icon.ts';
import { manyForm } from '../parts/many.ts';
import { emptyState } from '../parts/notice.ts';
import { pager, table } from '../parts/table.ts';
import { count, counted } from '../parts/time.ts';
import { ageOfStep, timeSlider } from '../parts/time-slider.ts';
import { queryOf, valid } from '../queries.ts';
import { type Console, type Html, linkTo, type View } from '../view.ts';
import { BUILD_OPERATIONS, type buildFilter } from './many-builds.ts';

type Filter = z.output<typeof buildFilter>;
const query = buildListQuery
  .omit({ limit: true, count: true })
  .extend({ step: z.coerce.number().int().min(0).max(1_000).optional() })
  .strip();

const STATUSES = [
  ['queued', 'Queued'],
  ['in_progress', 'In progress'],
  ['success', 'Success'],
  ['failure', 'Failure'],
  ['cancelled', 'Cancelled'],
] as const;

const PAGE = 50;
const MOST_CONFIGURATIONS = 100;

/** Adds the list of builds, now or at an earlier time. */
export function builds(console: Console, { db }: ConsoleDependencies): void {
  console.get('/builds', async (c) => {
    const { cursor, at, step, ...given } = valid(query, queryOf(c));
    const filter = at ? unchangingOf(given) : given;
    const { view } = c.var;
    const oldest = await findOldestBuild(db);
    if (step !== undefined && oldest !== undefined) {
      const age = ageOfStep(step, Math.max(1_000, view.now - Date.parse(oldest)));
      const then = age === 0 ? undefined : new Date(view.now - age).toISOString();
      return c.redirect(`${view.base}/${linkTo('builds', { ...filter, at: then })}`, 302);
    }
    const since = await findLogEnd(db);
    const asked = { ...filter, limit: PAGE, after: readNumberCursor(cursor) };
    const [{ items, end }, matching, configurations] = await Promise.all([
      at
        ? listStreamsAt(db, BUILDS, at, { ...asked, unchanging: matchesUnchanging(db, asked) })
        : listBuilds(db, asked),
      at ? undefined : countBuilds(db, filter),
      listConfigurations(db, { after: 0, limit: MOST_CONFIGURATIONS }),
    ]);
    const names = new Map(configurations.map(({ id, name }) => [id, name]));
    const failed = at ? [] : items.filter(({ status, reason }) => status === 'failure' && reason === null);
    const steps = await listFailedSteps(
      db,
      failed.map(({ id }) => id),
    );
    const actions = BUILD_OPERATIONS.filter(
      ({ operation }) => !at && (!filter.status || FITTING_BUILD_STATUSES[operation].includes(filter.status)),
    );
    const rows = table({
      caption: 'Builds',
      columns: buildColumns({ ...view, at }, names, steps),
      rows: items,
      idOf: ({ id }) => String(id),
      selectable: view.may('operate') && actions.length > 0 ? ({ id }) => String(id) : undefined,
    });
    const list = manyForm(view, rows, { actions, filter, matching: filter.status && matching });
    const content = html`${filters(filter, configurations, at)}${timeSlider(view, 'builds', filter, { at, oldest })}
${items.length > 0 ? list : nothing(view, filter, at)}${pager('builds', { ...filter, at }, { cursor, next: writeCursor(end) })}`;
    return page(c, {
      title: 'Builds',
      place: 'builds',
      actions: html`${matching === undefined ? '' : html`<span class="hint">${matching.exact ? counted(matching.value, 'build') : `${count(matching.value)} or more`}</span>`}${view.may('trigger') ? html`<a class="button main" href="trigger">${icon('trigger')}Trigger</a>` : ''}`,
      content,
      ...(at || cursor ? {} : { live: { topics: ['build'], since } }),
    });
  });
}

/** Returns the filters that also work for the past. Text, conclusion and whether it needs attention work only for the present. */
function unchangingOf({ q: _q, conclusion: _conclusion, needs_attention: _attention, ...filter }: Filter): Filter {
  return filter;
}

/** Filters that work only for the present. */
const SEARCHES: readonly FilterField[] = [
  { kind: 'search', name: 'q', label: 'Search', hint: 'id, input, reason, caller' },
  { kind: 'check', name: 'needs_attention', label: 'Needs you' },
];

function filters(
  filter: Filter,
  configurations: ReadonlyArray<{ id: number; name: string; definition: { repository: string } }>,
  at: string | undefined,
): Html {
  const repositories = [...new Set(configurations.map(({ definition }) => definition.repository))];
  return filterForm('builds', { ...filter, at }, [
    ...(at ? [] : SEARCHES),
    { kind: 'text', name: 'ref', label: 'Branch or tag' },
    { kind: 'choice', name: 'status', label: 'Status', any: 'All', choices: STATUSES },
    {
      kind: 'choice',
      name: 'config_id',
      label: 'Configuration',
      any: 'All',
      choices: configurations.map(({ id, name }) => [String(id), name]),
    },
    { kind: 'text', name: 'repository', label: 'Repository', suggestions: repositories },
  ]);
}

function nothing(view: View, filter: Filter, at: string | undefined): Html {
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  if (isFiltered) return emptyState('No build matches.', html`<a href="builds">Show all</a>`);
  if (at) return emptyState('There was no build at that time.', html`<a href="builds">Back to now</a>`);
  const first = view.may('trigger') ? html`<a href="trigger">Trigger the first</a>` : undefined;
  return emptyState('There is no build yet.', first);
}
