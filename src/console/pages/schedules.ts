import { html } from 'hono/html';
import { listNextFirings } from '../../commands/schedules/temporal-schedule.ts';
import type { Schedule } from '../../domain/schedules/schedule.ts';
import { targetWords, timeWords } from '../../domain/schedules/schedule-words.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { listSchedules } from '../../store/schedules/schedule-list.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { action } from '../parts/action.ts';
import { badge } from '../parts/badge.ts';
import { emptyState } from '../parts/notice.ts';
import { type Column, table } from '../parts/table.ts';
import { taskLink } from '../parts/task-cells.ts';
import { count, time } from '../parts/time.ts';
import type { Console, Html, View } from '../view.ts';

/** For a schedule of many configurations, how many of the last builds are shown. */
const SHOWN = 5;

/** Adds the list of schedules, with what each made last. */
export function schedules(console: Console, { db, client }: ConsoleDependencies): void {
  console.get('/schedules', async (c) => {
    const { view } = c.var;
    const since = await findLogEnd(db);
    const [rows, next] = await Promise.all([
      listSchedules(db, { deleted: false }),
      // Without Temporal, the rest of the page is still shown.
      listNextFirings(client).catch(() => new Map<string, string>()),
    ]);
    const none = emptyState(
      'There is no schedule.',
      html`Make one: <code>hapax schedules set nightly --cron '0 2 * * *' --config default</code>`,
    );
    return page(c, {
      title: 'Schedules',
      place: 'schedules',
      content:
        rows.length === 0
          ? none
          : table({ caption: 'Schedules', columns: columns(view, next), rows, idOf: ({ id }) => id }),
      live: { topics: ['schedule', 'tick'], since },
    });
  });
}

function columns(view: View, next: ReadonlyMap<string, string>): Array<Column<Schedule>> {
  return [
    { title: 'Name', kind: 'tight', cell: ({ id }) => id },
    {
      title: 'Status',
      kind: 'tight',
      cell: ({ status, paused_note }) =>
        html`${status === 'active' ? badge('ok', 'Active') : badge('cancelled', 'Paused')}${paused_note === null ? '' : html` <span class="hint">${paused_note}</span>`}`,
    },
    { title: 'Makes', cell: ({ definition }) => targetWords(definition) },
    { title: 'When', kind: 'wide', cell: ({ definition }) => html`<code>${timeWords(definition)}</code>` },
    {
      title: 'Next',
      kind: 'tight',
      cell: ({ status, workflow_id }) => time(view, status === 'active' ? next.get(workflow_id) : null),
    },
    {
      title: 'Last',
      kind: 'tight',
      cell: ({ last_time, last_made }) =>
        html`${time(view, last_time)} ${madeLinks(last_made.map(({ made }) => made))}`,
    },
    { title: 'Fired', kind: 'number', cell: ({ fired }) => count(fired) },
    { title: 'Skipped', kind: 'number', cell: ({ skipped }) => count(skipped) },
    { title: 'Actions', kind: 'tight', cell: ({ id, status }) => actions(view, id, status) },
  ];
}

function madeLinks(made: readonly string[]): Html {
  const links = made.slice(0, SHOWN).map((one) => {
    const [kind, id = ''] = one.split(/:(.*)/s);
    return kind === 'task' ? taskLink(id) : html`<a href="builds/${id}">${id}</a>`;
  });
  const more = made.length > SHOWN ? html` and ${made.length - SHOWN} more` : '';
  return html`${links.map((link, index) => html`${index === 0 ? '' : ', '}${link}`)}${more}`;
}

/** Returns the question before a schedule fires by hand. */
export function fireQuestion(name: string): string {
  return `Fire ${name} now?`;
}

function actions(view: View, name: string, status: Schedule['status']): Html {
  const to = (verb: string) => `schedules/${name}/${verb}`;
  const turn =
    status === 'paused'
      ? action(view, { to: to('resume'), label: 'Resume' })
      : action(view, { to: to('pause'), label: 'Pause' });
  const fire = action(view, { right: 'trigger', to: to('trigger'), label: 'Fire now', confirm: fireQuestion(name) });
  return html`<div class="buttons">${turn}${fire}</div>`;
}
