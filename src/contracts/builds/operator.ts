import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { nextCursor, pageCursor, pageLimit } from '../paging.ts';
import { taskId, taskStatus, taskSummary } from '../tasks/task.ts';
import { queueName } from '../tasks/task-type.ts';
import { text } from '../text.ts';
import { timestamp } from '../timestamp.ts';
import { buildStatus, buildSummary } from './build.ts';
import { eventView } from './event.ts';

export const retryMode = z.enum(['rerun_failed', 'rerun', 'redispatch']);
export type RetryMode = z.infer<typeof retryMode>;

/** Body of POST /builds/{id}/retry; may be left out. */
export const retryBody = z
  .strictObject({
    mode: retryMode.optional().meta({
      description:
        'rerun_failed: runs only the failed jobs again. rerun: runs the whole run again. redispatch: makes a new run. Default: rerun if the build has a run and its forge can re-run it (Forgejo cannot), otherwise redispatch.',
    }),
  })
  .meta({ id: 'RetryBuild' });

/** Body of POST /builds/{id}/adopt. */
export const adoptBody = z
  .strictObject({
    run_id: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    run_url: z.url().max(2_000).optional().meta({ description: 'Accepted and ignored.' }),
  })
  .meta({ id: 'AdoptRun' });

/** Response of GET /builds/{id}/candidates. */
export const candidateRunsAnswer = z
  .object({
    build_id: z.int(),
    needs_attention: z.boolean(),
    reason: z.string().nullable(),
    candidates: z
      .array(z.object({ run_id: z.int(), run_url: z.string() }))
      .meta({ description: 'Pass one `run_id` to adopt.' }),
  })
  .meta({ id: 'CandidateRuns' });
export type CandidateRuns = z.infer<typeof candidateRunsAnswer>;

/** Response to an operator's command about a build. */
export const operatorAnswer = z
  .object({ id: z.int(), status: buildStatus, message: z.string() })
  .meta({ id: 'OperatorAnswer' });

/** A filter of dead letters. A field that only one kind of dead letter has excludes the other kinds. */
const deadLetterFilter = z.object({
  kind: z.enum(['build', 'task', 'message']).optional(),
  repository: text(255).optional().meta({ description: 'Builds of this repository.' }),
  ref: text(255).optional().meta({ description: 'Builds of this branch or tag.' }),
  config_id: z.int().min(1).max(2_147_483_647).optional().meta({ description: 'Builds of this configuration.' }),
  name: text(255).optional().meta({ description: 'Tasks with this name, and messages for it.' }),
  queue: queueName.optional().meta({ description: 'Tasks and messages of this queue.' }),
  since: timestamp.optional().meta({ description: 'Accepted at this time or later.' }),
  until: timestamp.optional().meta({ description: 'Accepted before this time.' }),
  cause: text(255).optional().meta({
    description:
      'With this cause: for builds `needs_attention` or the conclusion, for tasks the type of the error, for messages the code of the refusal.',
    example: 'dispatch_failed',
  }),
});
export type DeadLetterFilter = z.infer<typeof deadLetterFilter>;

/** Body of a request that redrives or discards many dead letters. */
const manyBody = deadLetterFilter.extend({
  limit: z.int().min(1).max(200).default(100).meta({ description: 'How many in this request, the newest first.' }),
  cursor: pageCursor.meta({
    description: '`next_cursor` of the previous response, to continue after those that were refused.',
  }),
  dry_run: z.boolean().default(false).meta({
    description: 'Change nothing: say how many match, of which causes, and show the first of them.',
  }),
});

/** Body of POST /dlq/redrive. */
export const redriveBody = manyBody.strict().meta({ id: 'RedriveDeadLetters' });
/** Body of POST /dlq/discard. */
export const discardBody = manyBody.strict().meta({ id: 'DiscardDeadLetters' });
export type ManyBody = z.output<typeof manyBody>;

const refusedLetters = z.array(z.object({ id: z.string(), detail: z.string() }));

export const redriveAnswer = z
  .object({ redriven: z.array(z.string()), refused: refusedLetters, next_cursor: nextCursor })
  .meta({ id: 'RedriveAnswer' });
export type RedriveAnswer = z.infer<typeof redriveAnswer>;

export const discardAnswer = z
  .object({ discarded: z.array(z.string()), refused: refusedLetters, next_cursor: nextCursor })
  .meta({ id: 'DiscardAnswer' });
export type DiscardAnswer = z.infer<typeof discardAnswer>;

/** Response of GET /dlq/causes: how many dead letters there are of each cause. */
export const deadLetterCauses = z
  .object({
    count: z.int().meta({ description: 'How many match.' }),
    exact: z.boolean().meta({
      description: `False: more than ${LIMITS.lists.countedEntries} of a kind match, and older ones are not counted.`,
    }),
    causes: z
      .array(
        z.object({
          kind: z.enum(['build', 'task', 'message']),
          cause: z.string().meta({ description: 'As the filter `cause`.' }),
          count: z.int(),
          oldest_at: timestamp.meta({ description: 'When the oldest was accepted.' }),
          newest_at: timestamp,
          reason: z.string().nullable().meta({ description: 'The reason of the newest.' }),
        }),
      )
      .meta({ description: 'The most frequent first.' }),
  })
  .meta({ id: 'DeadLetterCauses' });

/** Id of a dead letter: the stream of the build, task or message. */
export const deadLetterIdParam = z.strictObject({
  id: z
    .string()
    .refine(isDeadLetterId, 'must be the id of a dead letter, for example build:12')
    .meta({ description: 'Id of the dead letter.', example: 'build:12' }),
});

function isDeadLetterId(id: string): boolean {
  const [kind, name = ''] = id.split(/:(.*)/s);
  switch (kind) {
    case 'task':
      return taskId.safeParse(name).success;
    case 'build':
      return /^[1-9]\d{0,15}$/.test(name);
    default:
      return kind === 'message' && /^[0-9a-f-]{36}$/.test(name);
  }
}

const deadLetterFields = {
  id: z.string().meta({ description: '`build:`, `task:` or `message:`, and the id of the build, task or message.' }),
  reason: z.string().nullable(),
  needs_attention: z
    .boolean()
    .meta({ description: 'True: it is a build that waits for an operator. False: it has ended.' }),
};
const deadBuild = z
  .object({ ...deadLetterFields, kind: z.literal('build'), build: buildSummary })
  .meta({ id: 'DeadBuild' });
const deadTask = z.object({ ...deadLetterFields, kind: z.literal('task'), task: taskSummary }).meta({ id: 'DeadTask' });

const deadMessage = z
  .object({
    ...deadLetterFields,
    kind: z.literal('message'),
    message: z
      .object({
        queue: z.string().meta({ description: 'The queue it came from or was meant for.' }),
        code: z.string().meta({ description: 'Why it was refused, as in the header `hapax-reason`.' }),
        task_id: z.string().nullable(),
        task: z.string().nullable(),
        bytes: z.int().meta({ description: 'Size of its body.' }),
        refusals: z.int().meta({ description: 'How many times it was refused.' }),
        first_refused_at: timestamp,
        refused_at: timestamp,
      })
      .meta({ id: 'RefusedMessage' }),
  })
  .meta({ id: 'DeadMessage' });

export const deadLetter = z.discriminatedUnion('kind', [deadBuild, deadTask, deadMessage]).meta({ id: 'DeadLetter' });
export type DeadLetterView = z.infer<typeof deadLetter>;

/** Response to a dry run. */
export const dryRunAnswer = deadLetterCauses
  .extend({ sample: z.array(deadLetter).meta({ description: 'The first of them, at most 10.' }) })
  .meta({ id: 'DryRun' });

export const deadLetterPage = z
  .object({ dead_letters: z.array(deadLetter), next_cursor: z.string().nullable() })
  .meta({ id: 'DeadLetterPage' });

const story = { events: z.array(eventView) };
/** A dead letter with its whole history: attempts, responses, request ids. */
export const deadLetterStory = z
  .discriminatedUnion('kind', [
    deadBuild.extend(story).meta({ id: 'DeadBuildStory' }),
    deadTask.extend(story).meta({ id: 'DeadTaskStory' }),
    deadMessage
      .extend({
        ...story,
        publication: z.record(z.string(), z.unknown()).meta({ description: 'Its properties and headers.' }),
        body: z.string().nullable().meta({ description: 'Null if it is not text.' }),
        body_base64: z.string(),
      })
      .meta({ id: 'DeadMessageStory' }),
  ])
  .meta({ id: 'DeadLetterStory' });

const deadLetterQueryFilter = deadLetterFilter.extend({
  config_id: z.coerce.number().int().min(1).max(2_147_483_647).optional(),
});

/** Query of GET /dlq/causes. */
export const deadLetterCausesQuery = deadLetterQueryFilter.strict();

export const deadLetterQuery = deadLetterQueryFilter
  .extend({
    limit: pageLimit,
    cursor: pageCursor,
  })
  .strict();

/** Response to the redrive of a dead letter. */
export const redriven = z
  .object({
    id: z.union([z.int(), z.string()]).meta({ description: 'Id of the build, task or message.' }),
    status: z.union([buildStatus, taskStatus, z.literal('queued')]),
    message: z.string(),
  })
  .meta({ id: 'Redriven' });
