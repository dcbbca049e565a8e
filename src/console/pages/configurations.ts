import { html } from 'hono/html';
import { type BuildConfiguration, configurationPageQuery } from '../../contracts/builds/configuration.ts';
import { listConfigurations } from '../../store/builds/configuration-list.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { badge } from '../parts/badge.ts';
import { type Column, pager, table } from '../parts/table.ts';
import { time } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import { type Console, linkTo, type View } from '../view.ts';

const query = configurationPageQuery.pick({ cursor: true }).strip();

const PAGE = 100;

/** Adds the list of configurations, which say how requests become dispatches. */
export function configurations(console: Console, deps: ConsoleDependencies): void {
  console.get('/configurations', async (c) => {
    const { cursor } = valid(query, queryOf(c));
    const { view } = c.var;
    // Number 1 is listed even if nothing was triggered yet.
    await deps.configurations.environment();
    const found = await listConfigurations(deps.db, { after: cursor ?? 0, limit: PAGE + 1 });
    const items = found.slice(0, PAGE);
    const next = found.length > PAGE ? String(items.at(-1)?.id) : null;
    const rows = table({
      caption: 'Configurations',
      columns: columns(view),
      rows: items,
      idOf: ({ id }) => String(id),
    });
    return page(c, {
      title: 'Configurations',
      place: 'configurations',
      actions: view.may('configure')
        ? html`<a class="button main" href="configurations/new">New configuration</a>`
        : '',
      content: html`${rows}${pager('configurations', {}, { cursor: cursor === undefined ? undefined : String(cursor), next })}`,
    });
  });
}

function columns(view: View): Array<Column<BuildConfiguration>> {
  return [
    {
      title: 'Name',
      kind: 'tight',
      cell: ({ id, name, retired }) =>
        html`<a href="configurations/${id}">${name}</a><span class="id">${id}</span>${retired ? html` ${badge('cancelled', 'Retired')}` : ''}`,
    },
    { title: 'Repository', kind: 'wide', cell: ({ definition }) => definition.repository },
    { title: 'Workflow', kind: 'wide', cell: ({ definition }) => html`<code>${definition.workflow}</code>` },
    { title: 'Ref', cell: ({ definition }) => html`<code>${definition.default_ref}</code>` },
    { title: 'Version', kind: 'number', cell: ({ version }) => version },
    {
      title: 'Changed',
      kind: 'tight',
      cell: ({ created_at, changed_by }) => html`${time(view, created_at)} <span class="hint">by ${changed_by}</span>`,
    },
    {
      title: 'Builds',
      kind: 'tight',
      cell: ({ id, retired }) =>
        html`<a href="${linkTo('builds', { config_id: id })}">Show</a>${view.may('trigger') && !retired ? html` · <a href="${linkTo('trigger', { config: id })}">Trigger</a>` : ''}`,
    },
  ];
}
