import { z } from 'zod';

/** Why a run ended badly, as far as GitHub says: a job that failed, its steps that failed, and what they annotated. */
export const failedJob = z
  .object({
    name: z.string(),
    conclusion: z.string().meta({ description: "GitHub's own word, as failure, timed_out or cancelled." }),
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

/** The field of an event, a build and a callback. */
export const failedJobs = z.array(failedJob).meta({
  description:
    'Jobs of the run that failed, with their failed steps and annotations. Empty where none did, or GitHub did not say in time. Long lists and texts are cut (docs/limits.md).',
});
