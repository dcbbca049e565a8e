import { z } from 'zod';
import { timestamp } from '../timestamp.ts';

export const queue = z
  .object({
    name: z.string(),
    depth: z.int().meta({ description: 'What was accepted and has not begun.' }),
    oldest_age_seconds: z.number().nullable().meta({
      description: 'How long ago the oldest of these was accepted (a retried one: at first); null where there is none.',
    }),
    in_flight: z.int().meta({ description: 'What has begun and not ended.' }),
    pollers: z.int().meta({ description: 'Processes that asked for work within the last 90 seconds.' }),
  })
  .meta({ id: 'Queue' });
export type Queue = z.infer<typeof queue>;

export const queues = z.array(queue).meta({ id: 'Queues' });

export const worker = z
  .object({
    identity: z.string().meta({ description: 'Process and host, as the worker tells Temporal.' }),
    queue: z.string().meta({
      description: 'What it serves: `workflows`, of which builds are part, a queue of tasks, `callbacks` or `bridge`.',
    }),
    last_seen_at: timestamp.meta({ description: 'When it last asked for work; an idle one does so once a minute.' }),
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof worker>;

export const workers = z.array(worker).meta({ id: 'Workers' });
