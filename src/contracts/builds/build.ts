import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { callbackUrl } from '../endings/callback.ts';
import { buildLinks, workflowId } from '../links.ts';
import {
  countFlag,
  flag,
  listText,
  matchCount,
  nextCursor,
  pageCursor,
  pageLimit,
  wait,
  waitsInThePast,
} from '../paging.ts';
import { text } from '../text.ts';
import { asOf, timestamp } from '../timestamp.ts';
import { runArtifacts } from './artifact.ts';
import { eventView } from './event.ts';
import { failedJobs } from './failed-job.ts';

export const buildStatus = z
  .enum(['queued', 'in_progress', 'success', 'failure', 'cancelled'])
  .meta({ id: 'BuildStatus' });
export type BuildStatus = z.infer<typeof buildStatus>;

/** Statuses that a build leaves only by a retry or a redrive. */
export const TERMINAL_STATUSES: readonly BuildStatus[] = ['success', 'failure', 'cancelled'];

export const buildId = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
export const inputValue = z.union([text(LIMITS.builds.inputsJsonCharacters), z.number(), z.boolean()]);

/** Name of a workflow input, in the syntax of workflow files. `__proto__` would get lost on the way. */
export const inputName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,254}$/, 'is not the name of a workflow input')
  .refine((name) => name !== '__proto__', 'is not the name of a workflow input');

/** Inputs of a workflow by name, no more than GitHub accepts. */
export const inputsOf = <Value extends z.ZodType>(value: Value) =>
  z
    .record(inputName, value)
    .refine(
      (inputs) => Object.keys(inputs).length <= LIMITS.builds.inputs,
      `has more than ${LIMITS.builds.inputs} entries`,
    );

/** Says whether git would accept this as the name of a branch or tag (git-check-ref-format, rules 1 to 10). */
function isRefName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: git forbids exactly these.
  const forbidden = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\//;
  const components = name.split('/');
  return (
    name !== '@' &&
    !name.endsWith('.') &&
    !forbidden.test(name) &&
    components.every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
  );
}

export const ref = text(LIMITS.builds.refCharacters).min(1).refine(isRefName, 'is not a valid branch or tag name');

/** Body of POST /builds/trigger. */
export const triggerBody = z
  .strictObject({
    config_id: z
      .int()
      .min(1)
      .max(2_147_483_647)
      .optional()
      .meta({ description: 'Id of the build configuration. Default: 1, if config is not given either.' }),
    config: text(100).min(1).optional().meta({ description: 'Name of the build configuration.', example: 'default' }),
    ref: ref.optional().meta({
      description:
        'Branch or tag. Default: `default_ref` of the configuration. `refs/heads/main` and `main` are the same branch. A tag may be written as `refs/tags/v1`.',
      example: 'main',
    }),
    image_type: text(LIMITS.builds.fieldCharacters).min(1).optional().meta({ example: 'fedora-sway-atomic' }),
    fedora_version: text(LIMITS.builds.fieldCharacters).min(1).optional().meta({ example: '43' }),
    inputs: inputsOf(inputValue).optional().meta({
      description: 'More inputs of the workflow, passed unchanged unless the configuration maps them.',
    }),
    priority: z
      .int()
      .min(1)
      .max(5)
      .optional()
      .meta({ description: '1 (first) to 5 (last). Default: 3. Requests that differ only in priority are equal.' }),
    callback_url: callbackUrl.optional().meta({
      description:
        'Receives a BuildCallback when the build ends. Default: the one of the configuration. Requests that differ only in this are equal, and every URL is notified.',
      example: 'https://n8n.example.com/webhook-waiting/7',
    }),
  })
  .refine((body) => body.config_id === undefined || body.config === undefined, {
    path: ['config'],
    message: 'names the configuration twice; send either config_id or config',
  })
  .meta({ id: 'TriggerBuild' });
export type TriggerBody = z.infer<typeof triggerBody>;

export const triggerAnswer = z
  .object({ id: buildId, status: buildStatus, message: z.enum(['Build queued successfully', 'Build already exists']) })
  .meta({ id: 'TriggerAnswer' });

const commit = z.string().nullable().meta({
  description: 'Commit that the run works on. Null until the forge tells it.',
});

const buildFields = {
  id: buildId,
  status: buildStatus,
  ref: z.string(),
  config_id: z.int(),
  config_version: z.int(),
  repository: z.string(),
  workflow: z.string(),
  image_type: z.string().nullable(),
  fedora_version: z.string().nullable(),
  inputs: z.record(z.string(), z.string()),
  shadow: z.boolean().meta({ description: 'Another program sends its dispatch; Hapax only looks for the run.' }),
  workflow_run_id: z.int().nullable().meta({ description: 'Id of the run at GitHub, once known.' }),
  run_url: z.string().nullable(),
  run_attempt: z.int().nullable(),
  conclusion: z.string().nullable().meta({
    description:
      "GitHub's conclusion of the run. timed_out: the deadline passed. dispatch_rejected or dispatch_failed: there was no run. not_started: the other program of a shadow build started none. workflow_ended or workflow_lost: Hapax stopped following it, and a run may still be going.",
  }),
  needs_attention: z.boolean().meta({
    description:
      'An operator must decide: a dispatch got no clear response, and Hapax could not find out whether GitHub made a run.',
  }),
  reason: z.string().nullable().meta({ description: 'Why it needs attention or is a dead letter.' }),
  attempts: z.int().meta({ description: 'Dispatches sent to GitHub.' }),
  retries: z.int().meta({ description: 'How many times it was retried.' }),
  created_at: timestamp,
  started_at: timestamp.nullable(),
  completed_at: timestamp.nullable(),
  erased_at: timestamp.nullable().meta({ description: 'When its inputs were erased; null: they were not.' }),
};

export const buildView = z
  .object({
    ...buildFields,
    workflow_id: workflowId,
    waits_for: z.array(buildId).meta({
      description:
        'While it is queued with the concurrency queue or cancel_previous: the builds that it waits for, at most 30. Always empty with `at`.',
    }),
    failed_jobs: failedJobs,
    commit,
    artifacts: runArtifacts.nullable().meta({
      description:
        'What the run left, recorded about a minute after a run that succeeded. Null before that, and if it left nothing.',
    }),
    links: buildLinks,
    events: z.array(eventView),
  })
  .meta({ id: 'Build' });
export type BuildView = z.infer<typeof buildView>;

export const buildSummary = z.object(buildFields).meta({ id: 'BuildSummary' });
export type BuildSummary = z.infer<typeof buildSummary>;

/** Body of the callback about a build that has ended. */
export const buildCallback = z
  .object({
    type: z.enum(['build.completed', 'build.cancelled']),
    timestamp: timestamp.meta({
      description: 'When the build ended. The header webhook-timestamp says when this was sent.',
    }),
    data: buildSummary.partial({ inputs: true }).extend({ failed_jobs: failedJobs, commit }).meta({
      id: 'EndedBuild',
      description: 'The build as it ended. If the body would be larger than 20 KiB, `inputs` is left out.',
    }),
  })
  .meta({ id: 'BuildCallback' });
export type BuildCallback = z.infer<typeof buildCallback>;

export const buildAtQuery = z
  .strictObject({ at: asOf, wait })
  .refine(({ at, wait }) => at === undefined || wait === undefined, waitsInThePast);

/** Response of GET /builds/{id}/verify. */
export const buildProof = z
  .object({
    valid: z.boolean(),
    length: z.int().meta({ description: 'Number of events.' }),
    head: z.string().meta({ description: 'Hash of the last event; 64 zeros if there is none.' }),
    fault: z
      .object({ seq: z.int(), message: z.string() })
      .optional()
      .meta({ description: 'The first event that is wrong.' }),
  })
  .meta({ id: 'BuildProof' });

export const buildPage = z
  .object({
    builds: z.array(buildSummary),
    next_cursor: nextCursor,
    count: matchCount,
  })
  .meta({ id: 'BuildPage' });

export const buildListQuery = z.strictObject({
  status: buildStatus.optional(),
  conclusion: text(100).optional().meta({ description: 'Ended with this conclusion.', example: 'timed_out' }),
  needs_attention: flag.meta({
    type: 'string',
    enum: ['true', 'false'],
    description: 'Waits for an operator, or does not.',
  }),
  q: listText.meta({
    description:
      'Has this text in its id, repository, workflow, ref, image type, Fedora version, inputs, conclusion, reason, caller or run id; case does not matter. A page searches a bounded number of builds, so it may be empty although `next_cursor` is not null.',
  }),
  ref: text(255).optional(),
  config_id: z.coerce.number().int().min(1).max(2_147_483_647).optional(),
  repository: text(255).optional(),
  since: timestamp.optional().meta({ description: 'Created at this time or later.' }),
  until: timestamp.optional().meta({ description: 'Created before this time.' }),
  at: asOf,
  limit: pageLimit,
  cursor: pageCursor,
  count: countFlag,
});
export type BuildListQuery = z.infer<typeof buildListQuery>;

export const buildIdParam = z.strictObject({
  id: z
    .string()
    .regex(/^[1-9]\d{0,15}$/, 'must be a build id: a whole number from 1')
    .transform(Number)
    .pipe(buildId)
    .meta({ description: 'Build id.', example: 1 }),
});

/** What a header `Idempotency-Key` may be. */
export const IDEMPOTENCY_KEY_FORM = `1 to ${LIMITS.requests.idempotencyKeyCharacters} printable ASCII characters`;

/** Header `Idempotency-Key`. Quotes around it are part of the key. */
export const idempotencyKey = z
  .string()
  .max(LIMITS.requests.idempotencyKeyCharacters)
  .regex(/^[\x20-\x7e]+$/);
