import { z } from 'zod';
import { buildListQuery, buildStatus, buildSummary, eventView } from './build.ts';
import { text } from './text.ts';

export const retryMode = z.enum(['rerun_failed', 'rerun', 'redispatch']);
export type RetryMode = z.infer<typeof retryMode>;

/** Body of POST /builds/{id}/retry; may be left out. */
export const retryBody = z
  .strictObject({
    mode: retryMode.optional().meta({
      description:
        'rerun_failed: the failed jobs of the run again. rerun: the whole run again. redispatch: a new run. Default: rerun where there is a run, else redispatch.',
    }),
  })
  .meta({ id: 'RetryBuild' });

/** Body of POST /builds/{id}/adopt. */
export const adoptBody = z
  .strictObject({ run_id: z.int().min(1).max(Number.MAX_SAFE_INTEGER), run_url: z.url().max(2_000).optional() })
  .meta({ id: 'AdoptRun' });

/** What the API answers to an operator's word. */
export const operatorAnswer = z
  .object({ id: z.int(), status: buildStatus, message: z.string() })
  .meta({ id: 'OperatorAnswer' });

/** Body of POST /dlq/redrive. */
export const redriveBody = z
  .strictObject({
    repository: text(255).optional(),
    ref: text(255).optional(),
    config_id: z.int().min(1).optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
    limit: z.int().min(1).max(200).default(100),
  })
  .meta({ id: 'RedriveDeadLetters' });

export const redriveAnswer = z
  .object({
    redriven: z.array(z.string()),
    refused: z.array(z.object({ id: z.string(), detail: z.string() })),
  })
  .meta({ id: 'RedriveAnswer' });

/** Id of a dead letter: the stream of what died. */
export const deadLetterIdParam = z.strictObject({
  id: z
    .string()
    .regex(/^build:[1-9]\d{0,15}$/, 'must be the id of a dead letter, for example build:12')
    .meta({ description: 'Id of the dead letter.', example: 'build:12' }),
});

export const deadLetter = z
  .object({
    id: z.string(),
    kind: z.literal('build'),
    reason: z.string().nullable(),
    needs_attention: z.boolean().meta({ description: 'It still waits for an operator; otherwise it has ended.' }),
    build: buildSummary,
  })
  .meta({ id: 'DeadLetter' });

export const deadLetterPage = z
  .object({ dead_letters: z.array(deadLetter), next_cursor: z.string().nullable() })
  .meta({ id: 'DeadLetterPage' });

/** A dead letter with its whole story: attempts, answers, request ids. */
export const deadLetterStory = deadLetter.extend({ events: z.array(eventView) }).meta({ id: 'DeadLetterStory' });

export const deadLetterQuery = buildListQuery.omit({ status: true });
