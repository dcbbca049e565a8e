import { html } from 'hono/html';
import type { Build } from '../../domain/builds/build.ts';
import { type Html, linkTo, type View } from '../view.ts';
import { statusBadge } from './badge.ts';
import type { Column } from './table.ts';
import { between, time } from './time.ts';

/**
 * Returns the columns of a list of builds. @param names names of the configurations by id. @param steps failed steps by build.
 * @param view.at the time that the list shows.
 */
export function buildColumns(
  view: View & { at?: string | undefined },
  names: ReadonlyMap<number, string> = new Map(),
  steps: ReadonlyMap<number, string> = new Map(),
): Array<Column<Build>> {
  const then = view.at === undefined ? view : { ...view, now: Math.min(view.now, Date.parse(view.at)) };
  return [
    {
      title: 'Build',
      kind: 'tight',
      cell: ({ id }) => html`<a href="${linkTo(`builds/${id}`, { at: view.at })}">${id}</a>`,
    },
    { title: 'Status', kind: 'tight', cell: statusBadge },
    { title: 'What', kind: 'wide', cell: what },
    { title: 'Configuration', cell: ({ config_id }) => names.get(config_id) ?? String(config_id) },
    { title: 'Why', kind: 'wide', cell: (build) => why(build, steps.get(build.id)) },
    { title: 'Created', kind: 'tight', cell: ({ created_at }) => time(view, created_at) },
    {
      title: 'Waited',
      kind: 'number',
      cell: (build) => between(then, build.queued_at, build.started_at ?? build.completed_at),
    },
    { title: 'Took', kind: 'number', cell: (build) => between(then, build.started_at, build.completed_at) },
  ];
}

function what({ request: { repository, ref, workflow, inputs } }: Build): Html {
  const values = Object.entries(inputs)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
    .slice(0, 200)
    .toWellFormed();
  return html`<code>${ref}</code><span class="sub" title="${values}">${repository} ${workflow}${values === '' ? '' : ` · ${values}`}</span>`;
}

/** Returns why a build is in its state, if its status does not say. */
function why({ reason, conclusion, status, run_status }: Build, step: string | undefined): unknown {
  const state = status === 'failure' ? conclusion : status === 'in_progress' ? run_status : null;
  const words = reason ?? step ?? (state === status ? null : state?.replaceAll('_', ' '));
  if (!words) return '';
  return html`<span title="${words.slice(0, 300).toWellFormed()}">${words.slice(0, 120).toWellFormed()}</span>`;
}
