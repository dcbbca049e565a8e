import { z } from 'zod';
import { manyFields, manyOutcome, namesOnce } from '../many.ts';
import { taskId, taskListQuery, taskSummary } from './task.ts';

/** Body of POST /tasks/cancel and /tasks/retry: tasks by their ids, or all that match. */
export const manyTasks = taskListQuery
  .omit({ at: true, limit: true, cursor: true, count: true })
  .extend(manyFields(taskId, 'tasks'))
  .refine(...namesOnce)
  .meta({ id: 'ManyTasks' });

/** What became of them. */
export const manyTasksAnswer = manyOutcome(z.string()).meta({ id: 'ManyTasksAnswer' });

/** Answer of a dry run. */
export const manyTasksDryRun = z
  .object({
    count: z.int().meta({ description: 'How many one request would change, at most `limit`.' }),
    more: z.boolean().meta({ description: 'Whether more match.' }),
    sample: z.array(taskSummary).meta({ description: 'The first of them, at most 10.' }),
  })
  .meta({ id: 'ManyTasksDryRun' });
