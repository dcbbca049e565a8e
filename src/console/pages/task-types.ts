import { html } from 'hono/html';
import { withPollers } from '../../commands/workers/list-served-types.ts';
import type { ServedTaskType, TaskParameter } from '../../contracts/tasks/task-type.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { action } from '../parts/action.ts';
import { badge } from '../parts/badge.ts';
import { type Column, table } from '../parts/table.ts';
import { duration, time } from '../parts/time.ts';
import { type Console, type Html, linkTo, type View } from '../view.ts';
import { workerPath } from './queues.ts';

/** Adds the list of task types, with their arguments and their workers. */
export function taskTypes(console: Console, deps: ConsoleDependencies): void {
  const { db, taskTypes } = deps;
  console.get('/task-types', async (c) => {
    const { view } = c.var;
    const since = await findLogEnd(db);
    const rows = await withPollers(deps, await taskTypes.list());
    const content = html`${table({ caption: 'Task types', columns: columns(view), rows, idOf: ({ name }) => encodeURIComponent(name) })}
<p class="hint">Workers register the tasks that they serve when they start. Tasks of a type that nobody serves are accepted, and wait. Retire a type that is no longer used.</p>`;
    return page(c, { title: 'Task types', place: 'task-types', content, live: { topics: ['tick'], since } });
  });
}

function columns(view: View): Array<Column<ServedTaskType>> {
  return [
    {
      title: 'Name',
      kind: 'tight',
      cell: ({ name, doc }) =>
        html`<a href="${linkTo('tasks', { name })}">${name}</a>${doc === null ? '' : html`<br><span class="hint">${doc}</span>`}`,
    },
    { title: 'Runs in', kind: 'tight', cell: ({ runtime }) => RUNTIMES[runtime] },
    {
      title: 'Queue',
      kind: 'tight',
      cell: ({ queue }) => html`<a href="${linkTo('tasks', { queue })}">${queue}</a>`,
    },
    { title: 'Arguments', cell: ({ parameters }) => argumentList(parameters) },
    { title: 'Limits', kind: 'tight', cell: limitsOf },
    {
      title: 'Workers',
      cell: ({ name, runtime, served_by }) =>
        served_by.length === 0
          ? html`${badge('degraded', 'Nobody')}${runtime === 'built-in' ? '' : html` ${retireAction(view, name)}`}`
          : html`<ul class="members">${served_by.map(({ identity }) => html`<li><a href="${workerPath(identity)}"><code>${identity}</code></a></li>`)}</ul>`,
    },
    { title: 'Registered', kind: 'tight', cell: ({ last_registered_at }) => time(view, last_registered_at) },
  ];
}

function retireAction(view: View, name: string): Html {
  const to = `task-types/${encodeURIComponent(name)}/retire`;
  return action(view, { to, label: 'Retire', confirm: retireQuestion(name) });
}

/** Returns the question before a task type is retired. */
export function retireQuestion(name: string): string {
  return `Retire ${name}? Its tasks are no longer accepted. It is back when a worker registers it again.`;
}

const RUNTIMES = { 'built-in': 'Hapax', typescript: 'TypeScript', python: 'Python' } as const;

function argumentList(parameters: readonly TaskParameter[] | null): Html {
  if (parameters === null) return html`<span class="hint">any</span>`;
  if (parameters.length === 0) return html`<span class="hint">none</span>`;
  const shown = parameters.map(({ name, kind, required }, index) => {
    const stars = kind === 'var_positional' ? '*' : kind === 'var_keyword' ? '**' : '';
    return html`${index === 0 ? '' : ', '}<code>${stars}${name}${required || stars ? '' : '?'}</code>`;
  });
  return html`${shown}`;
}

function limitsOf({ soft_time_limit, time_limit, max_retries, rate_limit }: ServedTaskType): Html {
  const limits = [
    soft_time_limit !== null && `${duration(soft_time_limit * 1_000)} soft`,
    time_limit !== null && `${duration(time_limit * 1_000)} hard`,
    max_retries !== null && `${max_retries} retries`,
    rate_limit !== null && rate_limit,
  ].filter((limit) => limit !== false);
  return limits.length === 0 ? html`<span class="hint">of the settings</span>` : html`${limits.join(', ')}`;
}
