import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { callbackUrl } from '../endings/callback.ts';
import { taskLinks, workflowId } from '../links.ts';
import { countFlag, listText, matchCount, nextCursor, pageCursor, pageLimit, wait, waitsInThePast } from '../paging.ts';
import { text, textOfBytes } from '../text.ts';
import { asOf, timestamp } from '../timestamp.ts';
import { taskError } from './task-event.ts';
import { BUILT_IN_TASKS } from './task-queues.ts';
import { queueName } from './task-type.ts';

/** States of tasks, under Celery's names. */
export const taskStatus = z
  .enum(['PENDING', 'STARTED', 'RETRY', 'SUCCESS', 'FAILURE', 'REVOKED'])
  .meta({ id: 'TaskStatus' });
export type TaskStatus = z.infer<typeof taskStatus>;

/** States that a task does not leave on its own. */
export const ENDED_TASK_STATUSES: readonly TaskStatus[] = ['SUCCESS', 'FAILURE', 'REVOKED'];

/** States of tasks that have not ended. */
export const OPEN_TASK_STATUSES: readonly TaskStatus[] = ['PENDING', 'STARTED', 'RETRY'];

/**
 * Task id. Hapax makes UUIDs. A client may choose any other text within Celery's own limit, that of a short string in AMQP, where the id
 * travels too.
 */
export const taskId = textOfBytes(LIMITS.tasks.idBytes)
  .min(1)
  .meta({
    description: `Task id: any text of 1 to ${LIMITS.tasks.idBytes} bytes in UTF-8, without NUL. Percent-encode it in a path.`,
    example: '750f939b-c84e-4618-8580-0487dbf33509',
  });

const seconds = (maximum: number) => z.number().positive().max(maximum);

/** Body of POST /tasks. */
export const taskBody = z
  .strictObject({
    name: text(LIMITS.tasks.nameCharacters)
      .min(1)
      .meta({
        description: `One of GET /task-types. For ${BUILT_IN_TASKS.join(', ')}, a leading \`tasks.\` is ignored.`,
      }),
    args: z.array(z.unknown()).default([]).meta({ description: 'Positional arguments.' }),
    kwargs: z.record(z.string(), z.unknown()).default({}).meta({ description: 'Named arguments.' }),
    task_id: taskId.optional().meta({
      description: 'A repeated request with the same id, task and arguments gets the same task. Default: a new id.',
    }),
    queue: queueName.optional().meta({ description: 'Default: the queue of the task.' }),
    priority: z.int().min(0).max(9).optional().meta({ description: '0 (last) to 9 (first). Default: 5.' }),
    eta: timestamp.optional().meta({ description: 'The task does not start before this time.' }),
    expires: z
      .union([timestamp, seconds(LIMITS.tasks.expiresSeconds)])
      .optional()
      .meta({ description: 'The task is revoked if it has not started by this time, or within this many seconds.' }),
    callback_url: callbackUrl
      .optional()
      .meta({ description: 'Receives a callback when the task ends (Standard Webhooks).' }),
    soft_time_limit: seconds(LIMITS.tasks.limitSeconds)
      .optional()
      .meta({ description: 'After this many seconds, an attempt is asked to stop.' }),
    time_limit: seconds(LIMITS.tasks.limitSeconds)
      .optional()
      .meta({ description: 'After this many seconds, the attempt and the task fail.' }),
  })
  .meta({ id: 'CreateTask' });
export type TaskBody = z.output<typeof taskBody>;

/** Response of POST /tasks. */
export const taskAnswer = z
  .object({
    task_id: z.string(),
    status: z.union([z.literal('queued'), taskStatus]).meta({
      description: '`queued`, or the state of the task if it already existed and has started.',
    }),
  })
  .meta({ id: 'TaskAnswer' });

/** A task as lists show it. */
export const taskSummary = z
  .object({
    task_id: z.string(),
    status: taskStatus,
    name: z.string(),
    queue: z.string(),
    retries: z.int().meta({ description: 'How many times it was retried.' }),
    redrives: z.int().meta({ description: 'How many times it was redriven.' }),
    priority: z.int().nullable(),
    eta: timestamp.nullable(),
    expires: timestamp.nullable(),
    worker: z.string().nullable().meta({ description: 'The worker that ran it last.' }),
    error: taskError.nullable().meta({ description: 'Error of the last failed attempt; null after a success.' }),
    reason: z.string().nullable().meta({ description: 'Why it is a dead letter or was revoked.' }),
    callback_origin: z.string().nullable().meta({ description: 'Scheme, host and port of its callback URL.' }),
    created_at: timestamp,
    received_at: timestamp.nullable(),
    started_at: timestamp.nullable().meta({ description: 'When its last attempt started.' }),
    completed_at: timestamp.nullable(),
    erased_at: timestamp.nullable().meta({
      description: 'When its arguments, result and errors were erased; null: they were not.',
    }),
  })
  .meta({ id: 'TaskSummary' });
export type TaskSummary = z.infer<typeof taskSummary>;

const ownLimit = z.number().nullable().meta({ description: 'Seconds; null: the limit in the settings applies.' });

export const taskView = z
  .object({
    task_id: z.string(),
    status: taskStatus,
    result: z.unknown().meta({ description: 'Result of the task; null unless it succeeded.' }),
    progress: z.object({ state: z.string(), meta: z.unknown() }).nullable().meta({
      description: "The progress that a running task reported last, as by Celery's `update_state`; otherwise null.",
    }),
    args: z.array(z.unknown()),
    kwargs: z.record(z.string(), z.unknown()),
    soft_time_limit: ownLimit,
    time_limit: ownLimit,
    waiting_for: z.string().nullable().optional().meta({
      description:
        'Why it has not started, if that is known: no worker serves it, or its queue is paused. Not with `at`.',
    }),
  })
  .extend(taskSummary.omit({ task_id: true, status: true }).shape)
  .extend({ workflow_id: workflowId, links: taskLinks })
  .meta({ id: 'Task' });
export type TaskView = z.infer<typeof taskView>;

/** Type of the callback about a task, by the event that ended the task. */
export const TASK_CALLBACK_TYPES = {
  task_succeeded: 'task.succeeded',
  task_failed: 'task.failed',
  task_revoked: 'task.revoked',
} as const;

/** Body of the callback about a task that has ended. */
export const taskCallback = z
  .object({
    type: z.enum(Object.values(TASK_CALLBACK_TYPES)),
    timestamp,
    data: taskSummary.extend({
      result: z.unknown().optional().meta({ description: 'Left out if it would make the body larger than 20 KiB.' }),
    }),
  })
  .meta({ id: 'TaskCallback' });
export type TaskCallback = z.infer<typeof taskCallback>;

export const taskPage = z
  .object({
    tasks: z.array(taskSummary),
    next_cursor: nextCursor,
    count: matchCount,
  })
  .meta({ id: 'TaskPage' });

export const taskListQuery = z.strictObject({
  status: taskStatus.optional(),
  name: text(255).optional(),
  queue: queueName.optional(),
  q: listText.meta({
    description:
      'Has this text in its id, name, caller, worker, reason, error, or in short arguments and results; case does not matter. A page searches a bounded number of tasks, so it may be empty although `next_cursor` is not null.',
  }),
  since: timestamp.optional().meta({ description: 'Accepted at this time or later.' }),
  until: timestamp.optional().meta({ description: 'Accepted before this time.' }),
  at: asOf,
  limit: pageLimit,
  cursor: pageCursor,
  count: countFlag,
});
export type TaskListQuery = z.infer<typeof taskListQuery>;

export const taskAtQuery = z
  .strictObject({ at: asOf, wait })
  .refine(({ at, wait }) => at === undefined || wait === undefined, waitsInThePast);

export const taskIdParam = z.strictObject({ id: taskId });

/** Body of POST /tasks/{id}/cancel; may be left out. */
export const cancelTaskBody = z.strictObject({}).meta({ id: 'CancelTask' });

/** Body of POST /tasks/{id}/retry; may be left out. */
export const retryTaskBody = z.strictObject({}).meta({ id: 'RetryTask' });

export const taskOperatorAnswer = z
  .object({ task_id: z.string(), status: taskStatus, message: z.string() })
  .meta({ id: 'TaskOperatorAnswer' });
