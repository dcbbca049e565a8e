import { z } from 'zod';
import { timestamp } from './timestamp.ts';

const dependency = z.object({
  status: z.enum(['ok', 'degraded', 'unknown']),
  detail: z.string().optional(),
  checked_at: timestamp.nullable(),
});
export type DependencyHealth = z.infer<typeof dependency>;

export const health = z
  .object({
    status: z.enum(['ok', 'degraded']),
    version: z.string(),
    reconciliation: z
      .object({
        checked_at: z.iso.datetime({ offset: true }),
        differences: z.int().meta({ description: 'How many builds and tasks differed.' }),
        unresolved: z.int().meta({ description: 'How many of them could not be repaired. The log says why.' }),
      })
      .nullable()
      .meta({ description: 'The last comparison of the record with Temporal; null before the first.' }),
    dependencies: z.object({
      postgres: dependency,
      temporal: dependency,
      github: dependency,
      workers: dependency,
      content: dependency.optional().meta({ description: 'The store of content, if that is not Postgres.' }),
    }),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof health>;

export const probe = z
  .object({ status: z.enum(['ok', 'unavailable']), detail: z.string().optional() })
  .meta({ id: 'Probe' });
