import { z } from 'zod';
import { timestamp } from '../timestamp.ts';

export const queue = z
  .object({
    name: z.string(),
    depth: z.int().meta({ description: 'How many were accepted and have not started.' }),
    oldest_age_seconds: z.number().nullable().meta({
      description: 'Age of the oldest of them, from its first acceptance; null if there is none.',
    }),
    in_flight: z.int().meta({ description: 'How many have started and not ended.' }),
    pollers: z.int().meta({ description: 'Processes that polled for work in the last 90 seconds.' }),
  })
  .meta({ id: 'Queue' });
export type Queue = z.infer<typeof queue>;

export const queues = z.array(queue).meta({ id: 'Queues' });

export const worker = z
  .object({
    identity: z.string().meta({ description: 'Process and host of the worker, as PID@HOST.' }),
    queue: z.string().meta({
      description:
        'The queue it serves: `workflows` (which includes builds), a queue of tasks, `callbacks` or `bridge`.',
    }),
    last_seen_at: timestamp.meta({ description: 'When it last polled for work. An idle worker polls once a minute.' }),
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof worker>;

export const workers = z.array(worker).meta({ id: 'Workers' });
