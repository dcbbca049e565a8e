import { html } from 'hono/html';
import { deadLetterIdOf, type ListedDeadLetter } from '../../store/endings/dead-letter-list.ts';
import { listedAt } from '../../store/endings/dead-letter-list-by-id.ts';
import type { Html, View } from '../view.ts';
import { badge } from './badge.ts';
import type { Column } from './table.ts';
import { shortId, taskLink } from './task-cells.ts';
import { time } from './time.ts';

/** Returns the path of a dead letter's page. For builds and tasks, it redirects to their own pages. */
export function deadLetterPath(letter: ListedDeadLetter): string {
  return `dead-letters/${encodeURIComponent(deadLetterIdOf(letter))}`;
}

/** Returns why it is a dead letter, in one line. */
export function deadLetterReason(letter: ListedDeadLetter): string {
  switch (letter.kind) {
    case 'build':
      return letter.build.reason ?? '';
    case 'task':
      return letter.task.reason ?? '';
    case 'message':
      return letter.message.detail;
    default:
      return letter satisfies never;
  }
}

/** Says whether it waits for a person to say that no run exists. */
export function needsAttention(letter: ListedDeadLetter): boolean {
  return letter.kind === 'build' && letter.build.needs_attention;
}

/** Returns the columns of a list of dead letters. */
export function deadLetterColumns(view: View): Array<Column<ListedDeadLetter>> {
  return [
    { title: 'What', kind: 'tight', cell: whatDied },
    { title: 'Kind', kind: 'tight', cell: kindOf },
    {
      title: 'Reason',
      kind: 'wide',
      cell: (letter) => html`<span title="${deadLetterReason(letter)}">${deadLetterReason(letter)}</span>`,
    },
    { title: 'Tries', kind: 'number', cell: triesOf },
    { title: 'Accepted', kind: 'tight', cell: (letter) => time(view, listedAt(letter)) },
  ];
}

function whatDied(letter: ListedDeadLetter): Html {
  switch (letter.kind) {
    case 'build': {
      const { id, request } = letter.build;
      return html`<a href="builds/${id}">Build ${id}</a><code class="id">${request.ref}</code>`;
    }
    case 'task':
      return html`${taskLink(letter.task.id, letter.task.name)}<span class="id" title="${letter.task.id}">${shortId(letter.task.id)}</span>`;
    case 'message': {
      const { task, id } = letter.message;
      return html`<a href="${deadLetterPath(letter)}">${task ?? 'A message'}</a><span class="id" title="${id}">${shortId(id)}</span>`;
    }
    default:
      return letter satisfies never;
  }
}

function kindOf(letter: ListedDeadLetter): Html {
  switch (letter.kind) {
    case 'build':
      return needsAttention(letter) ? badge('needs_attention') : html`Build`;
    case 'task':
      return html`Task <span class="hint">${letter.task.queue}</span>`;
    case 'message':
      return html`Refused message <span class="hint">${letter.message.queue}</span>`;
    default:
      return letter satisfies never;
  }
}

function triesOf(letter: ListedDeadLetter): number {
  switch (letter.kind) {
    case 'build':
      return letter.build.attempts;
    case 'task':
      return letter.task.attempts;
    case 'message':
      return letter.message.refusals;
    default:
      return letter satisfies never;
  }
}
