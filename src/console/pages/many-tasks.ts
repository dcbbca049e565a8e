import { html } from 'hono/html';
import { fittingTasks, type ManyTasksOperation, operateTask } from '../../commands/tasks/operate-tasks.ts';
import { taskListQuery } from '../../contracts/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { type ManyAction, operateSent, previewMany, readMany } from '../parts/many.ts';
import { taskColumns } from '../parts/task-cells.ts';
import { counted } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import { type Console, type ConsoleContext, linkTo } from '../view.ts';

interface TaskOperation extends ManyAction {
  operation: ManyTasksOperation;
  meaning: string;
  leftOut: string;
  done: string;
}

/** Operations on many tasks. */
export const TASK_OPERATIONS: readonly TaskOperation[] = [
  {
    to: 'many-tasks/retry',
    label: 'Retry',
    operation: 'retry',
    meaning: 'Each starts again with the same id, the same arguments and new retries.',
    leftOut: 'left out: only a task that failed or was revoked can be retried',
    done: 'queued again',
  },
  {
    to: 'many-tasks/revoke',
    label: 'Revoke',
    tone: 'danger',
    operation: 'revoke',
    meaning: 'One that has not started never starts. One that runs is asked to stop, and its result is dropped.',
    leftOut: 'left out: only a task that has not ended can be revoked',
    done: 'revoked',
  },
];

const filterOf = taskListQuery.omit({ limit: true, at: true, cursor: true, count: true }).strip();

/** Retries and revokes many tasks: those selected in the list, or all that match its filter. */
export function manyTasks(console: Console, deps: ConsoleDependencies): void {
  for (const asked of TASK_OPERATIONS) {
    const { to, done, operation } = asked;
    console.get(`/${to}`, async (c) => {
      const filter = valid(filterOf, queryOf(c));
      const { tasks: rows, more } = await fittingTasks(deps, operation, { filter });
      return preview(c, asked, { rows, more, back: linkTo('tasks', filter) });
    });
    console.post(`/${to}`, needs('operate'), async (c) => {
      const sent = await readMany(c);
      if (sent.sure) {
        const told = { ...asked, noun: 'task', place: 'tasks', verb: done };
        return operateSent(c, sent, { ...told, operate: (id) => operateTask(deps, operation, id, c.var.caller) });
      }
      const { tasks: rows } = await fittingTasks(deps, operation, { ids: sent.id });
      return preview(c, asked, { rows, without: sent.id.length - rows.length, back: 'tasks' });
    });
  }
}

interface Chosen {
  rows: readonly ListedTask[];
  more?: boolean;
  /** How many of the selected ones are left out. */
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
