import { z } from 'zod';
import { manyFields, manyOutcome, namesOnce } from '../many.ts';
import { buildId, buildListQuery, buildSummary } from './build.ts';

const filter = buildListQuery.pick({ status: true, conclusion: true, q: true, ref: true, repository: true });

/** Body of POST /builds/cancel and /builds/retry: builds by their ids, or all that match. */
export const manyBuilds = filter
  .extend(buildListQuery.pick({ since: true, until: true }).shape)
  .extend({
    needs_attention: z.boolean().optional().meta({ description: 'Waits for an operator, or does not.' }),
    config_id: z.int().min(1).max(2_147_483_647).optional(),
    ...manyFields(buildId, 'builds'),
  })
  .refine(...namesOnce)
  .meta({ id: 'ManyBuilds' });

/** What became of them. */
export const manyBuildsAnswer = manyOutcome(z.int()).meta({ id: 'ManyBuildsAnswer' });

/** Answer of a dry run. */
export const manyBuildsDryRun = z
  .object({
    count: z.int().meta({ description: 'How many one request would change, at most `limit`.' }),
    more: z.boolean().meta({ description: 'Whether more match.' }),
    sample: z.array(buildSummary).meta({ description: 'The first of them, at most 10.' }),
  })
  .meta({ id: 'ManyBuildsDryRun' });
