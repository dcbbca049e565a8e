import { z } from 'zod';
import { manyDryRun, manyFields, manyOutcome, namesOnce } from '../many.ts';
import { taskId, taskListQuery, taskSummary } from './task.ts';

/** Body of POST /tasks/cancel and /tasks/retry: tasks by id, or all that match a filter. */
export const manyTasks = taskListQuery
  .omit({ at: true, limit: true, cursor: true, count: true })
  .extend(manyFields(taskId, 'tasks'))
  .refine(...namesOnce)
  .meta({ id: 'ManyTasks' });

/** The outcome for each of them. */
export const manyTasksAnswer = manyOutcome(z.string()).meta({ id: 'ManyTasksAnswer' });

/** Response to a dry run. */
export const manyTasksDryRun = manyDryRun(taskSummary).meta({ id: 'ManyTasksDryRun' });
