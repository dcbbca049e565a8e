import { z } from 'zod';

/** Why a run failed, as far as GitHub says: a failed job, its failed steps, and their annotations. */
export const failedJob = z
  .object({
    name: z.string(),
    conclusion: z.string().meta({ description: "GitHub's conclusion, such as failure, timed_out or cancelled." }),
    url: z.string().nullable().meta({ description: 'Page of the job with its log.' }),
    steps: z.array(z.object({ number: z.int(), name: z.string(), conclusion: z.string() })),
    annotations: z.array(
      z.object({
        level: z.string().meta({ description: 'failure, warning or notice.' }),
        message: z.string(),
        path: z.string(),
        line: z.int(),
      }),
    ),
  })
  .meta({ id: 'FailedJob' });
export type FailedJob = z.infer<typeof failedJob>;

/** The failed jobs of a run, as events, builds and callbacks have them. */
export const failedJobs = z.array(failedJob).meta({
  description:
    'Failed jobs of the run, with their failed steps and annotations. Empty if none failed, or if GitHub did not respond in time. Long lists and texts are cut off (docs/limits.md).',
});
