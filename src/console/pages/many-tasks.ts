import { html } from 'hono/html';
import type { z } from 'zod';
import { RETRYABLE_TASK_STATUSES, retryTask } from '../../commands/tasks/retry-task.ts';
import { revokeTask } from '../../commands/tasks/revoke-task.ts';
import { OPEN_TASK_STATUSES, type TaskStatus, taskListQuery } from '../../contracts/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import type { Db } from '../../store/database.ts';
import { listTasks } from '../../store/tasks/task-list.ts';
import { listTasksById } from '../../store/tasks/task-list-by-id.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { type ManyAction, MOST_AT_ONCE, operateSent, previewMany, readMany } from '../parts/many.ts';
import { taskColumns } from '../parts/task-cells.ts';
import { counted } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import { type Console, type ConsoleContext, linkTo } from '../view.ts';

interface TaskOperation extends ManyAction {
  /** States in which a task can be asked for it. */
  statuses: readonly TaskStatus[];
  meaning: string;
  leftOut: string;
  done: string;
  operate(deps: ConsoleDependencies, id: string, by: string): Promise<unknown>;
}

/** What can be asked of many tasks. */
export const TASK_OPERATIONS: readonly TaskOperation[] = [
  {
    to: 'many-tasks/retry',
    label: 'Retry',
    statuses: RETRYABLE_TASK_STATUSES,
    meaning: 'Each starts again with the same id, the same arguments and new retries.',
    leftOut: 'left out: only a task that failed or was revoked can be retried',
    done: 'queued again',
    operate: retryTask,
  },
  {
    to: 'many-tasks/revoke',
    label: 'Revoke',
    tone: 'danger',
    statuses: OPEN_TASK_STATUSES,
    meaning: 'One that has not started never starts. One that runs is asked to stop, and its result is dropped.',
    leftOut: 'left out: only a task that has not ended can be revoked',
    done: 'revoked',
    operate: (deps, id, by) => revokeTask(deps, id, { by, reason: 'terminated' }),
  },
];

const filterOf = taskListQuery.omit({ limit: true, at: true, cursor: true, count: true }).strip();
type Filter = z.output<typeof filterOf>;

/** Retries and revokes many tasks: those selected in the list, or all that match its filter. */
export function manyTasks(console: Console, deps: ConsoleDependencies): void {
  for (const operation of TASK_OPERATIONS) {
    const { to, done, operate } = operation;
    console.get(`/${to}`, async (c) => {
      const filter = valid(filterOf, queryOf(c));
      const { rows, more } = await fitting(deps.db, filter, operation.statuses);
      return preview(c, operation, { rows, more, back: linkTo('tasks', filter) });
    });
    console.post(`/${to}`, needs('operate'), async (c) => {
      const sent = await readMany(c);
      if (sent.sure) {
        const told = { ...operation, noun: 'task', place: 'tasks', verb: done };
        return operateSent(c, sent, { ...told, operate: (id) => operate(deps, id, c.var.caller) });
      }
      const found = await listTasksById(deps.db, sent.id);
      const rows = found.filter(({ status }) => operation.statuses.includes(status));
      return preview(c, operation, { rows, without: sent.id.length - rows.length, back: 'tasks' });
    });
  }
}

/** The newest of the tasks that match and are in one of these states. */
async function fitting(db: Db, filter: Filter, statuses: readonly TaskStatus[]) {
  const asked = statuses.filter((status) => filter.status === undefined || filter.status === status);
  const pages = await Promise.all(asked.map((status) => listTasks(db, { ...filter, status, limit: MOST_AT_ONCE })));
  const found = pages.flatMap(({ items }) => items).sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
  const more = found.length > MOST_AT_ONCE || pages.some(({ end }) => end !== undefined);
  return { rows: found.slice(0, MOST_AT_ONCE), more };
}

interface Chosen {
  rows: readonly ListedTask[];
  more?: boolean;
  /** So many of the selected ones are left out. */
  without?: number;
  back: string;
}

function preview(
  c: ConsoleContext,
  { label, to, tone, meaning, leftOut }: TaskOperation,
  { rows, more, without = 0, back }: Chosen,
) {
  return previewMany(c, {
    ...{ label, to, noun: 'task', place: 'tasks', rows, back },
    meaning: html`${meaning}`,
    ...(tone ? { tone } : {}),
    ...(more ? { more } : {}),
    ...(without > 0 ? { leftOut: `${counted(without, 'task')} ${leftOut}.` } : {}),
    idOf: ({ id }) => id,
    columns: taskColumns(c.var.view),
  });
}
