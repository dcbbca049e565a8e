import { z } from 'zod';
import { timestamp } from '../timestamp.ts';
import { buildStatus } from './build.ts';

export const shadowQuery = z.strictObject({
  since: timestamp
    .optional()
    .meta({ description: 'Builds triggered and runs made at this time or later. Default: 24 hours ago.' }),
});

const otherRun = z.object({ workflow_run_id: z.int(), run_url: z.string(), created_at: timestamp });

const shadowedBuild = z.object({
  build_id: z.int(),
  ref: z.string(),
  status: buildStatus,
  outcome: z.enum(['matched', 'lost', 'waiting', 'cancelled']).meta({
    description:
      'matched: the other program started one run or more. lost: it started none. waiting: it may still start one. cancelled: somebody cancelled the build before there was a run.',
  }),
  would_dispatch_at: timestamp.nullable().meta({ description: 'When Hapax would have sent the dispatch.' }),
  run: otherRun.nullable(),
  later_seconds: z.number().nullable().meta({
    description: 'How much later than Hapax the other program was. Less than 0: earlier.',
  }),
  doubled: z.array(otherRun).meta({ description: 'Further runs that it started for the same request.' }),
});

/** Response of GET /configs/{id}/shadow. */
export const shadowReport = z
  .object({
    config_id: z.int(),
    repository: z.string(),
    workflow: z.string(),
    since: timestamp.meta({
      description:
        'What is older is not in the report. Later than asked for if there are more builds or runs than Hapax reads.',
    }),
    triggered: z.int().meta({ description: 'Builds, one for each request.' }),
    matched: z.int(),
    lost: z.int(),
    waiting: z.int(),
    doubled: z.int().meta({ description: 'Runs that were one too many.' }),
    unheard: z.int().meta({ description: 'Runs that no trigger asked for.' }),
    builds: z.array(shadowedBuild).meta({ description: 'The newest first.' }),
    unheard_runs: z.array(otherRun.extend({ ref: z.string().nullable(), title: z.string() })),
  })
  .meta({ id: 'ShadowReport' });
export type ShadowReport = z.infer<typeof shadowReport>;
export type ShadowedBuildView = z.infer<typeof shadowedBuild>;
