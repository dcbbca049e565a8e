import { z } from 'zod';
import { type EventOf, erasure, recovery } from '../builds/event.ts';
import { callbackEventData } from '../endings/callback.ts';

/** JSON of any form. */
const json = z.unknown();

/** An error of a task, as Celery clients see exceptions. */
export const taskError = z.object({
  type: z.string().meta({ description: 'Name of the exception, for example ValueError.' }),
  message: z.string(),
  traceback: z.string().nullable(),
  module: z.string().optional().meta({ description: 'Module of the exception, if it comes from a worker in Python.' }),
  args: z.array(json).optional().meta({ description: 'Its arguments, if it comes from a worker in Python.' }),
});
export type TaskError = z.infer<typeof taskError>;

/** Requested time limits in milliseconds; null for those of the settings. */
const limits = {
  soft_limit_ms: z.int().nullable(),
  hard_limit_ms: z.int().nullable(),
};

/** Data of each event type of a task. Only these types can be appended. */
export const taskEventData = {
  task_queued: z.object({
    task_id: z.string(),
    workflow_id: z.string(),
    fingerprint: z.string(),
    caller: z.string(),
    door: z
      .enum(['http', 'flower', 'amqp', 'schedule'])
      .meta({ description: 'The interface that the request came through.' }),
    name: z.string(),
    queue: z.string(),
    args: z.array(json),
    kwargs: z.record(z.string(), json),
    priority: z.int().nullable().meta({ description: '0 to 9, the highest first.' }),
    eta: z.string().nullable(),
    expires: z.string().nullable(),
    ...limits,
    callback_origin: z.string().nullable().meta({
      description: 'Scheme, host and port of its callback URL. The rest may be a secret and is not recorded.',
    }),
    epoch: z.int().optional().meta({ description: 'Epoch of the installation that accepted it.' }),
    root_id: z.string().nullable(),
    parent_id: z.string().nullable(),
    type_version: z.string().optional().meta({
      description: 'The version of its type that it was accepted under. Left out for the tasks of Hapax itself.',
    }),
  }),
  task_received: z.object({}),
  task_started: z.object({ attempt: z.int(), worker: z.string() }),
  task_progressed: z.object({
    attempt: z.int(),
    state: z.string().meta({ description: "A state of the task's own, for example PROGRESS." }),
    meta: json,
  }),
  task_retried: z.object({
    attempt: z.int(),
    counted: z.boolean().meta({ description: 'Whether it used a retry. Waiting for a quota does not.' }),
    error: taskError,
    retry_at: z.string(),
    args: z.array(json).optional().meta({ description: 'The arguments from now on, if the task changed them.' }),
    kwargs: z.record(z.string(), json).optional(),
  }),
  task_succeeded: z.object({ result: json }),
  task_failed: z.object({ error: taskError }),
  task_revoked: z.object({
    reason: z.enum(['revoked', 'terminated', 'expired']),
    by: z.string().meta({ description: 'Who revoked it; `expires` if it expired.' }),
  }),
  task_dead_lettered: z.object({ reason: z.string(), attempts: z.int() }),
  dead_letter_discarded: z.object({ by: z.string() }),
  task_redriven: z.object({
    redrive: z.int().meta({ description: 'How many times the task was redriven, including this time.' }),
    by: z.string(),
    redrive_id: z.string().meta({ description: 'Distinguishes redrives that were requested at the same time.' }),
    args: z.array(json).meta({
      description: 'The arguments from now on, and below the limits. They may differ from those of the first request.',
    }),
    kwargs: z.record(z.string(), json),
    ...limits,
  }),
  task_recovered: recovery.extend({
    ended_before: z
      .boolean()
      .optional()
      .meta({ description: 'Whether the record had lost how the task ended before.' }),
  }),
  task_erased: erasure,
  ...callbackEventData,
} as const;

export type TaskEventType = keyof typeof taskEventData;
export const TASK_EVENT_TYPES = Object.keys(taskEventData) as [TaskEventType, ...TaskEventType[]];

/** Something that happened to a task. */
export type TaskEvent = EventOf<typeof taskEventData>;
