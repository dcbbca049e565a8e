import { z } from 'zod';
import { manyDryRun, manyFields, manyOutcome, namesOnce } from '../many.ts';
import { buildId, buildListQuery, buildSummary } from './build.ts';

const filter = buildListQuery.pick({ status: true, conclusion: true, q: true, ref: true, repository: true });

/** Body of POST /builds/cancel and /builds/retry: builds by id, or all that match a filter. */
export const manyBuilds = filter
  .extend(buildListQuery.pick({ since: true, until: true }).shape)
  .extend({
    needs_attention: z.boolean().optional().meta({ description: 'Waits for an operator, or does not.' }),
    config_id: z.int().min(1).max(2_147_483_647).optional(),
    ...manyFields(buildId, 'builds'),
  })
  .refine(...namesOnce)
  .meta({ id: 'ManyBuilds' });

/** The outcome for each of them. */
export const manyBuildsAnswer = manyOutcome(z.int()).meta({ id: 'ManyBuildsAnswer' });

/** Response to a dry run. */
export const manyBuildsDryRun = manyDryRun(buildSummary).meta({ id: 'ManyBuildsDryRun' });
