import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { callbackUrl } from '../endings/callback.ts';
import { nextCursor, pageCursor, pageLimit } from '../paging.ts';
import { text, textOfBytes } from '../text.ts';
import { asOf, timestamp } from '../timestamp.ts';
import { taskError } from './task-event.ts';
import { TASK_NAMES, TASK_QUEUE_NAMES } from './task-queues.ts';

/** States of tasks are Celery's, by their names. */
export const taskStatus = z
  .enum(['PENDING', 'STARTED', 'RETRY', 'SUCCESS', 'FAILURE', 'REVOKED'])
  .meta({ id: 'TaskStatus' });
export type TaskStatus = z.infer<typeof taskStatus>;

/** States that a task does not leave by itself. */
export const ENDED_TASK_STATUSES: readonly TaskStatus[] = ['SUCCESS', 'FAILURE', 'REVOKED'];

/**
 * Ids of tasks are UUIDs where we make them. A client may choose any other text: Celery's own bound is that of a short string of
 * AMQP, in which the id travels too.
 */
export const taskId = textOfBytes(LIMITS.tasks.idBytes)
  .min(1)
  .meta({
    description: `Task id: any text of 1 to ${LIMITS.tasks.idBytes} bytes as UTF-8, without NUL. In a path it is percent-encoded.`,
    example: '750f939b-c84e-4618-8580-0487dbf33509',
  });

const seconds = (maximum: number) => z.number().positive().max(maximum);

/** Body of POST /tasks. */
export const taskBody = z
  .strictObject({
    name: text(LIMITS.tasks.nameCharacters)
      .min(1)
      .meta({ description: `One of ${TASK_NAMES.join(', ')}; a leading \`tasks.\` is taken off.` }),
    args: z.array(z.unknown()).default([]).meta({ description: 'Positional arguments.' }),
    kwargs: z.record(z.string(), z.unknown()).default({}).meta({ description: 'Named arguments.' }),
    task_id: taskId.optional().meta({
      description:
        'Makes the task once: the same id with the same content again answers the same task. Left out, an id is made.',
    }),
    queue: z.enum(TASK_QUEUE_NAMES).optional().meta({ description: 'The queue of the task when left out.' }),
    priority: z.int().min(0).max(9).optional().meta({ description: '0 to 9, the highest first; 5 when left out.' }),
    eta: timestamp.optional().meta({ description: 'Not to begin before this time.' }),
    expires: z
      .union([timestamp, seconds(LIMITS.tasks.expiresSeconds)])
      .optional()
      .meta({ description: 'Revoked if it has not begun by this time, or within so many seconds.' }),
    callback_url: callbackUrl.optional().meta({ description: 'Told of the end of the task (Standard Webhooks).' }),
    soft_time_limit: seconds(LIMITS.tasks.limitSeconds)
      .optional()
      .meta({ description: 'Seconds after which an attempt is asked to stop.' }),
    time_limit: seconds(LIMITS.tasks.limitSeconds)
      .optional()
      .meta({ description: 'Seconds after which an attempt has failed.' }),
  })
  .meta({ id: 'CreateTask' });
export type TaskBody = z.output<typeof taskBody>;

/** What POST /tasks answers. */
export const taskAnswer = z
  .object({
    task_id: z.string(),
    status: z.union([z.literal('queued'), taskStatus]).meta({
      description: '`queued`; where the task existed before and has begun, its state.',
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
    retries: z.int().meta({ description: 'Tries after the first that failed.' }),
    redrives: z.int().meta({ description: 'How many times it was begun again after its end.' }),
    priority: z.int().nullable(),
    eta: timestamp.nullable(),
    expires: timestamp.nullable(),
    worker: z.string().nullable().meta({ description: 'Who worked on it last.' }),
    error: taskError.nullable().meta({ description: 'Of the last failed attempt; null after a success.' }),
    reason: z.string().nullable().meta({ description: 'Why it is a dead letter or was revoked.' }),
    callback_origin: z.string().nullable().meta({ description: 'Scheme and host of where its callback goes.' }),
    created_at: timestamp,
    received_at: timestamp.nullable(),
    started_at: timestamp.nullable().meta({ description: 'When its last attempt began.' }),
    completed_at: timestamp.nullable(),
  })
  .meta({ id: 'TaskSummary' });
export type TaskSummary = z.infer<typeof taskSummary>;

const ownLimit = z.number().nullable().meta({ description: 'Seconds; null for that of the settings.' });

export const taskView = z
  .object({
    task_id: z.string(),
    status: taskStatus,
    result: z.unknown().meta({ description: 'What the task answered; null unless it succeeded.' }),
    args: z.array(z.unknown()),
    kwargs: z.record(z.string(), z.unknown()),
    soft_time_limit: ownLimit,
    time_limit: ownLimit,
  })
  .extend(taskSummary.omit({ task_id: true, status: true }).shape)
  .meta({ id: 'Task' });
export type TaskView = z.infer<typeof taskView>;

/** What a callback says of a task, by the event that ended it. */
export const TASK_CALLBACK_TYPES = {
  task_succeeded: 'task.succeeded',
  task_failed: 'task.failed',
  task_revoked: 'task.revoked',
} as const;

/** What a callback says of a task that has ended. */
export const taskCallback = z
  .object({
    type: z.enum(Object.values(TASK_CALLBACK_TYPES)),
    timestamp,
    data: taskSummary.extend({
      result: z.unknown().optional().meta({ description: 'Left out where it makes the body longer than 20 kB.' }),
    }),
  })
  .meta({ id: 'TaskCallback' });
export type TaskCallback = z.infer<typeof taskCallback>;

export const taskPage = z
  .object({
    tasks: z.array(taskSummary),
    next_cursor: nextCursor,
  })
  .meta({ id: 'TaskPage' });

export const taskListQuery = z.strictObject({
  status: taskStatus.optional(),
  name: text(255).optional(),
  queue: z.enum(TASK_QUEUE_NAMES).optional(),
  since: timestamp.optional().meta({ description: 'Accepted at this time or later.' }),
  until: timestamp.optional().meta({ description: 'Accepted before this time.' }),
  at: asOf,
  limit: pageLimit,
  cursor: pageCursor,
});
export type TaskListQuery = z.infer<typeof taskListQuery>;

export const taskAtQuery = z.strictObject({ at: asOf });

export const taskIdParam = z.strictObject({ id: taskId });

/** Body of POST /tasks/{id}/cancel; may be left out. */
export const cancelTaskBody = z.strictObject({}).meta({ id: 'CancelTask' });

export const taskOperatorAnswer = z
  .object({ task_id: z.string(), status: taskStatus, message: z.string() })
  .meta({ id: 'TaskOperatorAnswer' });
