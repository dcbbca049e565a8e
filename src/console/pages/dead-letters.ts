import { html } from 'hono/html';
import { readTextCursor, writeCursor } from '../../commands/cursor.ts';
import { deadLetterQuery } from '../../contracts/builds/operator.ts';
import { TASK_NAMES, TASK_QUEUE_NAMES } from '../../contracts/tasks/task-queues.ts';
import { deadLetterIdOf, listDeadLetters } from '../../store/endings/dead-letter-list.ts';
import { findLogHead } from '../../store/record/stream-list-changed.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { deadLetterColumns } from '../parts/dead-letter-cells.ts';
import { filterForm } from '../parts/filter-form.ts';
import { manyForm } from '../parts/many.ts';
import { emptyState } from '../parts/notice.ts';
import { pager, table } from '../parts/table.ts';
import { queryOf, valid } from '../queries.ts';
import type { Console } from '../view.ts';
import { DEAD_LETTER_OPERATIONS } from './many-dead-letters.ts';

const query = deadLetterQuery.omit({ limit: true }).strip();

const KINDS = [
  ['build', 'Builds'],
  ['task', 'Tasks'],
  ['message', 'Refused messages'],
] as const;

const PAGE = 50;

/** What failed after its last retry, was refused, or waits for a person: in one list. */
export function deadLetters(console: Console, { db }: ConsoleDependencies): void {
  console.get('/dead-letters', async (c) => {
    const { cursor, ...filter } = valid(query, queryOf(c));
    const { view } = c.var;
    const since = await findLogHead(db);
    const { items, end } = await listDeadLetters(db, { ...filter, limit: PAGE, after: readTextCursor(cursor) });
    const form = filterForm('dead-letters', [
      { kind: 'choice', name: 'kind', label: 'Kind', value: filter.kind, any: 'All', choices: KINDS },
      {
        kind: 'choice',
        name: 'queue',
        label: 'Queue',
        value: filter.queue,
        any: 'All',
        choices: TASK_QUEUE_NAMES.map((name) => [name, name] as const),
      },
      { kind: 'text', name: 'name', label: 'Task', value: filter.name, suggestions: TASK_NAMES },
      { kind: 'text', name: 'ref', label: 'Ref of a build', value: filter.ref },
    ]);
    const rows = table({
      caption: 'Dead letters',
      columns: deadLetterColumns(view),
      rows: items,
      idOf: (letter) => encodeURIComponent(deadLetterIdOf(letter)),
      selectable: view.mayChange ? deadLetterIdOf : undefined,
    });
    const isFiltered = Object.values(filter).some((value) => value !== undefined);
    const list =
      items.length > 0
        ? manyForm(view, rows, { actions: DEAD_LETTER_OPERATIONS, filter })
        : emptyState(
            isFiltered ? 'No dead letter matches.' : 'There is no dead letter.',
            isFiltered
              ? 'Clear the filter to see all.'
              : 'What fails after its last retry, and messages that were refused, come here.',
          );
    return page(c, {
      title: 'Dead letters',
      place: 'dead-letters',
      content: html`${form}${list}${pager('dead-letters', filter, { cursor, next: writeCursor(end) })}`,
      live: { topics: ['build', 'task', 'tick'], since },
    });
  });
}
