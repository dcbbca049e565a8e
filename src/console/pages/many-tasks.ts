import { fittingTasks, type ManyTasksOperation, operateTask } from '../../commands/tasks/operate-tasks.ts';
import { taskListQuery } from '../../contracts/tasks/task.ts';
import type { ConsoleDependencies } from '../app.ts';
import { fittingRows, type ManyAction, operateOnMany } from '../parts/many.ts';
import { taskColumns } from '../parts/task-cells.ts';
import { counted } from '../parts/time.ts';
import type { Console } from '../view.ts';

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
  for (const { operation, meaning, leftOut, ...action } of TASK_OPERATIONS) {
    operateOnMany(console, {
      ...{ ...action, noun: 'task', place: 'tasks', filter: filterOf, columns: taskColumns },
      ...fittingRows((which) => fittingTasks(deps, operation, which), String),
      operate: (id, by) => operateTask(deps, operation, id, by),
      meaning: () => meaning,
      leftOut: (without) => `${counted(without, 'task')} ${leftOut}.`,
      idOf: ({ id }) => id,
    });
  }
}
