import { z } from 'zod';
import { LIMITS } from './budgets.ts';

/** How many matches a dry run shows. */
export const SAMPLE = 10;

/** Returns the fields of a request that changes many builds or tasks, except its filter. */
export const manyFields = <Id extends z.ZodType>(id: Id, nouns: string) => ({
  ids: z
    .array(id)
    .min(1)
    .max(LIMITS.lists.operatedAtOnce)
    .optional()
    .meta({
      description: `These ${nouns}, in place of a filter. Those in a state that does not allow it are left out.`,
    }),
  limit: z
    .int()
    .min(1)
    .max(LIMITS.lists.operatedAtOnce)
    .default(100)
    .meta({ description: 'How many in this request, the newest that match.' }),
  dry_run: z
    .boolean()
    .default(false)
    .meta({ description: 'Change nothing: say how many, and show the first of them.' }),
});

/** Requires either ids or filters in a body: an empty one must not change everything. */
export const namesOnce: [(body: Record<string, unknown>) => boolean, { error: string; path: string[] }] = [
  ({ ids, limit: _limit, dry_run: _dryRun, ...filter }) =>
    (ids === undefined) === Object.values(filter).some((value) => value !== undefined),
  { error: 'name either these or at least one filter, such as status', path: ['ids'] },
];

/** Returns a schema of the response to a dry run. @param summary schema of a build or a task. */
export const manyDryRun = <Summary extends z.ZodType>(summary: Summary) =>
  z.object({
    count: z.int().meta({ description: 'How many one request would change, at most `limit`.' }),
    more: z.boolean().meta({ description: 'Whether more match.' }),
    sample: z.array(summary).meta({ description: `The first of them, at most ${SAMPLE}.` }),
  });

/** Returns a schema of the outcome for each of many builds or tasks. */
export const manyOutcome = <Id extends z.ZodType>(id: Id) =>
  z.object({
    done: z.array(id).meta({ description: 'Those that were cancelled or retried.' }),
    refused: z.array(z.object({ id, detail: z.string() })),
    more: z.boolean().meta({ description: 'Whether more match: send the same request again.' }),
  });
