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
    dependencies: z.object({ postgres: dependency, temporal: dependency, github: dependency, workers: dependency }),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof health>;

export const probe = z
  .object({ status: z.enum(['ok', 'unavailable']), detail: z.string().optional() })
  .meta({ id: 'Probe' });
