import { html } from 'hono/html';
import type { TaskStatus } from '../../contracts/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import type { Html, View } from '../view.ts';
import { statusBadge } from './badge.ts';
import type { Column } from './table.ts';
import { between, time } from './time.ts';

/** Returns the path of a task's page. The id may be any text. */
export function taskPath(id: string): string {
  return `tasks/${encodeURIComponent(id)}`;
}

/** Returns a link to a task. A long id is shortened. */
export function taskLink(id: string, text: string = shortId(id)): Html {
  return html`<a href="${taskPath(id)}" title="${id}">${text}</a>`;
}

/** Returns the first part of a UUID, by which people recognise a task. Other long ids are cut off. */
export function shortId(id: string): string {
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(id)) return id.slice(0, 8);
  return id.length > 24 ? `${id.slice(0, 23).toWellFormed()}…` : id;
}

/** Returns why a task is in its state, in one line. */
export function taskReason({ error, reason, status }: Pick<ListedTask, 'error' | 'reason' | 'status'>): string {
  if (error) return error.message === '' ? error.type : `${error.type}: ${error.message}`;
  return status === 'REVOKED' && reason ? (REVOKED_BECAUSE[reason] ?? reason) : '';
}

const REVOKED_BECAUSE: Readonly<Record<string, string>> = {
  revoked: 'Revoked before it ended',
  terminated: 'Revoked before it ended',
  expired: 'It expired before it started',
};

export const TASK_STATUS_CHOICES: ReadonlyArray<readonly [TaskStatus, string]> = [
  ['PENDING', 'Pending'],
  ['STARTED', 'Started'],
  ['RETRY', 'Retrying'],
  ['SUCCESS', 'Success'],
  ['FAILURE', 'Failure'],
  ['REVOKED', 'Revoked'],
];

/** Returns the columns of a list of tasks. */
export function taskColumns(view: View): Array<Column<ListedTask>> {
  return [
    {
      title: 'Task',
      kind: 'tight',
      cell: ({ id, name }) => html`${taskLink(id, name)}<span class="id" title="${id}">${shortId(id)}</span>`,
    },
    { title: 'Status', kind: 'tight', cell: statusBadge },
    { title: 'Queue', kind: 'tight', cell: ({ queue }) => queue },
    {
      title: 'Tries',
      kind: 'number',
      cell: ({ attempts, redrives }) =>
        html`${attempts}${redrives > 0 ? html`<span class="sub">redrive ${redrives}</span>` : ''}`,
    },
    {
      title: 'What it said',
      kind: 'wide',
      cell: (task) => html`<span title="${taskReason(task)}">${taskReason(task)}</span>`,
    },
    { title: 'Accepted', kind: 'tight', cell: ({ created_at }) => time(view, created_at) },
    { title: 'Time', kind: 'number', cell: (task) => timeOf(view, task) },
  ];
}

/** Returns what a task spends its time on, or spent its last attempt on. */
function timeOf(view: View, { status, created_at, started_at, retried_at, completed_at }: ListedTask): string {
  switch (status) {
    case 'PENDING':
      return `waits ${between(view, created_at, null)}`;
    case 'STARTED':
      return `runs ${between(view, started_at, null)}`;
    case 'RETRY':
      return `waits ${between(view, retried_at, null)}`;
    default:
      return started_at === null ? '–' : `ran ${between(view, started_at, completed_at)}`;
  }
}
