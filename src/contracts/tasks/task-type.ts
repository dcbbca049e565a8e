import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { text, textOfBytes } from '../text.ts';
import { timestamp } from '../timestamp.ts';
import { QUEUE_NAME, RESERVED_QUEUES, TASK_RUNTIMES } from './task-queues.ts';

/** Name of a queue of tasks. */
export const queueName = z
  .string()
  .max(LIMITS.tasks.queueCharacters)
  .regex(QUEUE_NAME, 'must begin with a letter, a digit or _, and go on with these or . : -')
  .refine((name) => !RESERVED_QUEUES.includes(name), 'is a name that Hapax keeps for itself')
  .meta({ description: 'Name of a queue.', example: 'youtube' });

const TASK_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.:-]*$/u;

/** Name of a task type, as in Celery apps: `tasks.ingest`. */
export const taskTypeName = textOfBytes(LIMITS.tasks.nameCharacters)
  .refine((name) => TASK_NAME.test(name), 'must begin with a letter, a digit or _, and go on with these or . : -')
  // JSON Schema has no flags. Its patterns are Unicode anyway.
  .meta({ description: 'Name of the task.', example: 'tasks.ingest', pattern: TASK_NAME.source });

/** A JSON Schema (draft 2020-12). */
const jsonSchema = z.record(z.string(), z.unknown());

/** A parameter of a task, in the words of Python's `inspect`. */
export const taskParameter = z
  .strictObject({
    name: text(LIMITS.taskTypes.parameterCharacters).min(1),
    kind: z.enum(['positional_only', 'positional_or_keyword', 'var_positional', 'keyword_only', 'var_keyword']),
    required: z.boolean(),
    schema: jsonSchema.optional().meta({
      description:
        'JSON Schema that an argument must fit before the task is accepted. Left out: any value is accepted.',
    }),
    default: text(LIMITS.taskTypes.defaultCharacters)
      .optional()
      .meta({ description: 'The default, as it is written.' }),
  })
  .meta({ id: 'TaskParameter' });
export type TaskParameter = z.infer<typeof taskParameter>;

const seconds = z.number().positive().max(LIMITS.tasks.limitSeconds).nullable();

/** A task type as a worker describes it. */
export const taskTypeDescription = z
  .strictObject({
    name: taskTypeName,
    queue: queueName.meta({ description: 'Its queue, unless a request names another one.' }),
    doc: text(LIMITS.taskTypes.docCharacters)
      .nullable()
      .default(null)
      .meta({ description: 'What it does, in one line.' }),
    parameters: z
      .array(taskParameter)
      .max(LIMITS.taskTypes.parameters)
      .nullable()
      .meta({ description: 'In the order of positional arguments. Null: not known; any arguments are accepted.' }),
    schema: jsonSchema.nullable().default(null).meta({
      description: 'JSON Schema of all arguments by name, where there is one; it is checked as well.',
    }),
    soft_time_limit: seconds.default(null).meta({ description: 'Seconds; null: that of the settings.' }),
    time_limit: seconds.default(null).meta({ description: 'Seconds; null: that of the settings.' }),
    max_retries: z.int().min(0).max(LIMITS.taskTypes.retries).nullable().default(null).meta({
      description: 'How often a failed attempt is retried; null: as the settings say.',
    }),
    retry_delay: z.number().min(0).max(LIMITS.tasks.limitSeconds).nullable().default(null).meta({
      description: 'Seconds before the first retry; null: as the settings say.',
    }),
    rate_limit: text(50).nullable().default(null).meta({
      description: 'How many tasks of this type each worker starts, such as `10/m`; null: no limit.',
    }),
    options: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ description: 'Other properties that its runtime registered.' }),
  })
  .meta({ id: 'TaskTypeDescription' });
export type TaskTypeDescription = z.output<typeof taskTypeDescription>;

/** The registration that a worker sends when it starts. */
export const taskTypeRegistration = z.strictObject({
  version: z.literal(1),
  /** The worker's identity in Temporal. */
  identity: text(255).min(1),
  runtime: z.enum(TASK_RUNTIMES),
  /** All queues that it polls, even those without a type. */
  queues: z.array(queueName).max(LIMITS.taskTypes.perRegistration),
  types: z.array(taskTypeDescription).max(LIMITS.taskTypes.perRegistration),
});
export type TaskTypeRegistration = z.output<typeof taskTypeRegistration>;

/** A task type as the API shows it. */
export const taskType = taskTypeDescription
  .extend({
    runtime: z.enum(TASK_RUNTIMES).meta({ description: 'What runs it.' }),
    version: z.string().meta({ description: 'Digest of all of this; every change changes it.' }),
    first_registered_at: timestamp.nullable().meta({ description: 'When this version was registered first.' }),
    last_registered_at: timestamp.nullable().meta({
      description: 'When a worker registered it last. Workers do that when they start.',
    }),
    registered_by: z.string().nullable().meta({ description: 'The worker that registered it last.' }),
  })
  .meta({ id: 'TaskType' });
export type TaskType = z.output<typeof taskType>;

/** A task type, and the workers that serve it. */
export const servedTaskType = taskType
  .extend({
    served_by: z
      .array(z.object({ identity: z.string(), last_seen_at: timestamp }))
      .meta({ description: 'Workers that polled its queue in the last 90 seconds.' }),
  })
  .meta({ id: 'ServedTaskType' });
export type ServedTaskType = z.output<typeof servedTaskType>;

export const servedTaskTypes = z.array(servedTaskType).meta({ id: 'ServedTaskTypes' });

export const taskTypeParam = z.strictObject({ name: taskTypeName });
