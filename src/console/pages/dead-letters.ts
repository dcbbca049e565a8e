import { html } from 'hono/html';
import type { z } from 'zod';
import { readTextCursor, writeCursor } from '../../commands/cursor.ts';
import { deadLetterQuery } from '../../contracts/builds/operator.ts';
import { countDeadLetters, type DeadLetterCount } from '../../store/endings/dead-letter-count.ts';
import { deadLetterIdOf, listDeadLetters } from '../../store/endings/dead-letter-list.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { deadLetterColumns } from '../parts/dead-letter-cells.ts';
import { filterForm } from '../parts/filter-form.ts';
import { manyForm } from '../parts/many.ts';
import { emptyState } from '../parts/notice.ts';
import { pager, table } from '../parts/table.ts';
import { count, countOf } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import { type Console, type Html, linkTo } from '../view.ts';
import { DEAD_LETTER_OPERATIONS } from './many-dead-letters.ts';

const query = deadLetterQuery.omit({ limit: true }).strip();
type Filter = Omit<z.output<typeof query>, 'cursor'>;

const KINDS = [
  ['build', 'Builds'],
  ['task', 'Tasks'],
  ['message', 'Refused messages'],
] as const;

const PAGE = 50;

/** Adds the list of everything that failed after its last retry, was refused, or waits for a person. */
export function deadLetters(console: Console, { db, taskTypes }: ConsoleDependencies): void {
  console.get('/dead-letters', async (c) => {
    const { cursor, ...filter } = valid(query, queryOf(c));
    const { view } = c.var;
    const since = await findLogEnd(db);
    const [types, queues] = await Promise.all([taskTypes.list(), taskTypes.queues()]);
    const [{ items, end }, died] = await Promise.all([
      listDeadLetters(db, { ...filter, limit: PAGE, after: readTextCursor(cursor) }),
      countDeadLetters(db, filter),
    ]);
    const matching = { value: died.count, exact: died.exact };
    const form = filterForm('dead-letters', filter, [
      { kind: 'choice', name: 'kind', label: 'Kind', any: 'All', choices: KINDS },
      {
        kind: 'choice',
        name: 'queue',
        label: 'Queue',
        any: 'All',
        choices: [...queues.keys()].map((name) => [name, name] as const),
      },
      { kind: 'text', name: 'name', label: 'Task', suggestions: types.map(({ name }) => name) },
      { kind: 'text', name: 'ref', label: 'Ref of a build' },
    ]);
    const rows = table({
      caption: 'Dead letters',
      columns: deadLetterColumns(view),
      rows: items,
      idOf: (letter) => encodeURIComponent(deadLetterIdOf(letter)),
      selectable: view.may('operate') ? deadLetterIdOf : undefined,
    });
    const isFiltered = Object.values(filter).some((value) => value !== undefined);
    const list =
      items.length > 0
        ? manyForm(view, rows, { actions: DEAD_LETTER_OPERATIONS, filter, matching })
        : emptyState(
            isFiltered ? 'No dead letter matches.' : 'There is no dead letter.',
            isFiltered
              ? 'Clear the filter to see all.'
              : 'What fails after its last retry, and messages that were refused, come here.',
          );
    return page(c, {
      title: 'Dead letters',
      place: 'dead-letters',
      actions: html`<span class="hint">${countOf(matching, 'dead letter')}</span>`,
      content: html`${form}${died.causes.length > 1 || filter.cause ? causeList(died, filter) : ''}${list}${pager('dead-letters', filter, { cursor, next: writeCursor(end) })}`,
      live: { topics: ['build', 'task', 'tick'], since },
    });
  });
}

/** The most causes that are listed. */
const MOST_CAUSES = 12;

/** Returns the causes, most frequent first. Each links to the dead letters with that cause. */
function causeList({ causes }: DeadLetterCount, { cause: chosen, ...filter }: Filter): Html {
  // The choice of a cause chose its kind.
  const { kind: _, ...all } = filter;
  const items = causes.slice(0, MOST_CAUSES).map(({ kind, cause, count: number, reason }) => {
    const isChosen = chosen === cause;
    const to = linkTo('dead-letters', isChosen ? all : { ...filter, kind, cause });
    return html`<div><dt>${count(number)}</dt><dd><a href="${to}"${isChosen ? html` aria-current="true"` : ''}>${cause.replaceAll('_', ' ')}</a> <span class="hint">${kind}s${reason ? html`, last: ${reason.slice(0, 140).toWellFormed()}` : ''}</span>${isChosen ? html` <a class="hint" href="${to}">Show all causes</a>` : ''}</dd></div>`;
  });
  return html`<section class="card" aria-labelledby="causes-title"><h2 id="causes-title">What they died of</h2><dl class="counts">${items}</dl></section>`;
}
