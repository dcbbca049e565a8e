import { z } from 'zod';
import { timestamp } from '../timestamp.ts';
import { queueName } from './task-type.ts';

/** Lengths of a bucket in seconds that people can read well on a chart. */
export const BUCKET_SECONDS = [60, 300, 900, 3_600, 21_600, 86_400] as const;

/** Who paused a queue, and when; null if it is not paused. */
const queuePause = z
  .object({ by: z.string().meta({ description: 'Name of the API key, or local.' }), since: timestamp })
  .nullable()
  .meta({ description: 'Null unless it is paused.' });

export const queueNameParam = z.strictObject({
  name: queueName.meta({ description: 'A queue of tasks.', example: 'youtube' }),
});

/** Response of POST /queues/{name}/pause and /resume. */
export const queuePauseAnswer = z.object({ name: z.string(), paused: queuePause }).meta({ id: 'QueuePause' });

export const queue = z
  .object({
    name: z.string(),
    depth: z.int().meta({ description: 'How many were accepted and have not started.' }),
    oldest_age_seconds: z.number().nullable().meta({
      description:
        'How long the oldest of them has waited, from its first acceptance or its `eta`; null if none waits. A task whose `eta` is to come does not wait. A build does not wait while another of its concurrency group is in progress.',
    }),
    in_flight: z.int().meta({ description: 'How many have started and not ended.' }),
    pollers: z.int().meta({ description: 'Processes that polled for work in the last 90 seconds.' }),
    paused: queuePause,
  })
  .meta({ id: 'Queue' });
export type Queue = z.infer<typeof queue>;

export const queues = z.array(queue).meta({ id: 'Queues' });

/** Query of GET /queues/history. */
export const queueHistoryQuery = z.strictObject({
  since: timestamp.optional().meta({ description: 'Default: a day before `until`.' }),
  until: timestamp.optional().meta({ description: 'Default: now.' }),
  bucket_seconds: z.coerce
    .number()
    .pipe(z.union(BUCKET_SECONDS.map((seconds) => z.literal(seconds))))
    .optional()
    .meta({
      type: 'integer',
      enum: [...BUCKET_SECONDS],
      description: 'Length of a bucket. Default: the shortest that gives at most 300 buckets.',
    }),
});

/** Response of GET /queues/history. */
export const queueHistory = z
  .object({
    since: timestamp,
    until: timestamp,
    bucket_seconds: z.int(),
    queues: z.array(
      z.object({
        name: z.string(),
        buckets: z.array(
          z.object({
            at: timestamp.meta({ description: 'When the bucket begins.' }),
            depth: z.int().meta({ description: 'Highest depth.' }),
            in_flight: z.int().meta({ description: 'Highest number in flight.' }),
            oldest_age_seconds: z.number().nullable().meta({ description: 'Highest age of the oldest that waited.' }),
            accepted: z.int().meta({ description: 'How many were accepted.' }),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'QueueHistory' });

export const worker = z
  .object({
    identity: z.string().meta({ description: 'Process and host of the worker, as PID@HOST.' }),
    queue: z.string().meta({
      description:
        'The queue it serves: `workflows` (which includes builds), a queue of tasks, `callbacks` or `bridge`.',
    }),
    last_seen_at: timestamp.meta({ description: 'When it last polled for work. An idle worker polls once a minute.' }),
    present: z.boolean().meta({ description: 'Whether that was in the last 90 seconds. If not, the worker is gone.' }),
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof worker>;

export const workers = z.array(worker).meta({ id: 'Workers' });
