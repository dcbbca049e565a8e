import { z } from 'zod';
import { callbackEventData } from '../endings/callback.ts';
import { forgePlace } from '../forges/forge.ts';
import { timestamp } from '../timestamp.ts';
import { runArtifacts } from './artifact.ts';
import { failedJobs } from './failed-job.ts';

/** The request of a build to its forge, fully resolved. Nothing in it is decided later, and nothing differs between two equal requests. */
export const buildRequest = z.object({
  repository: z.string(),
  workflow: z.string(),
  ref: z.string(),
  inputs: z.record(z.string(), z.string()),
  forge: forgePlace.optional().meta({ description: 'Left out: the GitHub of GITHUB_API_URL.' }),
  shadow: z.literal(true).optional().meta({
    description: 'Another program sends the dispatch. Hapax only looks for its run, and never sends anything.',
  }),
});
export type BuildRequest = z.infer<typeof buildRequest>;

/** How Hapax learned a fact. */
const source = z.enum(['webhook', 'poll', 'reconcile', 'dispatch', 'operator', 'deadline', 'listing']);

const commit = z
  .string()
  .optional()
  .meta({ description: 'Commit that the run works on: what the forge resolved the ref to when it was dispatched.' });

/** How a build ended: with a run, or without one and why. */
const ending = z.object({
  conclusion: z.string(),
  run_attempt: z.int().nullable(),
  learned_from: source,
  request_id: z.string().nullable(),
  delivery_id: z.string().optional(),
  detail: z.string().optional(),
  commit,
  failed_jobs: failedJobs.optional(),
});

/** The fact that values of a build or task were erased, and by whom. It does not say which values. */
export const erasure = z.object({
  by: z.string().meta({ description: 'Who erased them; `retention` if KEEP_ARGUMENTS_FOR had passed.' }),
});

/** Why reconciliation had to make the record and Temporal agree again. */
export const recovery = z.object({
  reason: z.enum(['workflow_lost', 'workflow_ended', 'record_set_back']).meta({
    description:
      '`workflow_lost`: Temporal had no workflow for it. `workflow_ended`: its workflow had ended without recording the end. `record_set_back`: the database had lost its last events.',
  }),
  by: z.enum(['reconciliation', 'workflow']),
  detail: z.string().meta({ description: 'What was found, and what was done.' }),
});

/** Data of each event type of a build. Only these types can be appended. */
export const buildEventData = {
  build_queued: z.object({
    build_id: z.int(),
    workflow_id: z.string(),
    request_key: z.string(),
    fingerprint: z.string(),
    keyed: z
      .boolean()
      .meta({ description: 'Requested with an Idempotency-Key, so the same request gets this build forever.' }),
    dedup_until: z.string(),
    caller: z.string(),
    config_id: z.int(),
    config_version: z.int(),
    image_type: z.string().nullable(),
    fedora_version: z.string().nullable(),
    priority: z.int(),
    request: buildRequest,
    concurrency: z.enum(['queue', 'cancel_previous']).optional().meta({
      description:
        'What the build does if earlier builds of the same repository, workflow and ref have not ended. Left out: it runs at the same time.',
    }),
    direct: z.literal(true).optional().meta({
      description: 'The request that triggered the build sends its first dispatch.',
    }),
    epoch: z.int().optional().meta({ description: 'Epoch of the installation that accepted it.' }),
    callback_origin: z.string().optional().meta({
      description: 'Scheme, host and port of its callback URL. The rest may be a secret and is not recorded.',
    }),
  }),
  build_started: z.object({}),
  dispatch_intended: z.object({
    attempt: z.int(),
    token: z.string(),
    temporal_run_id: z.string().meta({
      description:
        'The only workflow run that may send this dispatch; `direct` if the request that triggered the build sent it.',
    }),
  }),
  dispatch_rejected: z.object({
    attempt: z.int(),
    status: z.int(),
    message: z.string(),
    request_id: z.string().nullable(),
  }),
  dispatch_delayed: z.object({ attempt: z.int(), reason: z.string(), retry_at: z.string() }),
  dispatch_ambiguous: z.object({
    attempt: z.int(),
    reason: z.string(),
    request_id: z.string().nullable(),
    accepted: z
      .boolean()
      .optional()
      .meta({ description: 'Whether the forge said that it made a run. Older events do not have it.' }),
    correlated: z
      .boolean()
      .optional()
      .meta({ description: 'Whether a run of the dispatch carries the token. Older events do not have it.' }),
  }),
  dispatch_absent: z.object({ attempt: z.int(), complete_reads: z.int() }),
  build_needs_attention: z.object({ attempt: z.int(), reason: z.string() }),
  workflow_triggered: z.object({
    attempt: z.int(),
    workflow_run_id: z.int(),
    run_url: z.string(),
    learned_from: source,
    correlated: z.boolean().meta({ description: 'Whether the run carries the token.' }),
    request_id: z.string().nullable(),
  }),
  run_updated: z.object({
    run_status: z.string(),
    run_attempt: z.int(),
    learned_from: source,
    request_id: z.string().nullable(),
    delivery_id: z.string().optional(),
    commit,
  }),
  late_run_cancelled: z.object({ workflow_run_id: z.int(), run_url: z.string() }),
  duplicate_run_cancelled: z.object({ workflow_run_id: z.int(), run_url: z.string() }),
  run_left_running: z
    .object({ workflow_run_id: z.int(), run_url: z.string(), reason: z.enum(['late', 'duplicate']) })
    .meta({
      description:
        'A run that is not the one of the build. Its forge has no way to stop it, or did not stop it within ten minutes.',
    }),
  dispatch_withheld: z
    .object({ until: z.string().meta({ description: 'A run that was made later than this is not its run.' }) })
    .meta({ description: 'Hapax would have sent the dispatch now, but another program sends it.' }),
  run_doubled: z
    .object({ workflow_run_id: z.int(), run_url: z.string() })
    .meta({ description: 'The other program made another run for the same request. It goes on.' }),
  build_completed: ending,
  cancel_requested: z.object({ by: z.string() }),
  build_cancelled: ending,
  artifacts_recorded: runArtifacts,
  build_dead_lettered: z.object({ reason: z.string(), attempts: z.int() }),
  dead_letter_discarded: z.object({ by: z.string() }),
  build_retried: z.object({
    retry: z.int().meta({ description: 'How many times the build was retried, including this retry.' }),
    mode: z.enum(['rerun_failed', 'rerun', 'redispatch']),
    by: z.string(),
    retry_id: z.string().meta({ description: 'Distinguishes retries that were requested at the same time.' }),
  }),
  build_reopened: z.object({
    workflow_run_id: z.int(),
    run_attempt: z.int().meta({ description: 'The attempt that somebody started in GitHub.' }),
    run_status: z.string(),
    learned_from: source,
    request_id: z.string().nullable(),
    delivery_id: z.string(),
  }),
  rerun_intended: z.object({
    workflow_run_id: z.int(),
    after_run_attempt: z.int(),
    failed_jobs_only: z.boolean(),
    temporal_run_id: z.string(),
  }),
  rerun_ambiguous: z.object({ workflow_run_id: z.int(), reason: z.string(), request_id: z.string().nullable() }),
  build_recovered: recovery.extend({
    earlier_run: z
      .object({ workflow_run_id: z.int(), run_url: z.string(), run_attempt: z.int() })
      .nullable()
      .optional()
      .meta({ description: 'Present if the record had lost how the build ended before: its run at that time.' }),
  }),
  build_erased: erasure,
  ...callbackEventData,
} as const;

export type BuildEventType = keyof typeof buildEventData;
export const BUILD_EVENT_TYPES = Object.keys(buildEventData) as [BuildEventType, ...BuildEventType[]];

/** Something that happened, as it is passed to the record. */
export interface ToldEvent<Type extends string = string, Data = unknown> {
  type: Type;
  data: Data;
  /** ISO 8601, milliseconds, UTC. */
  occurred_at: string;
  /** Unique within the stream. Recording an event twice with the same key has no effect. */
  dedupe_key: string;
}

/** The type and data of an event, without its time and key. For a union of events, a union of these. */
export type Happening<Event extends ToldEvent> = Event extends ToldEvent ? Pick<Event, 'type' | 'data'> : never;

/** The events that a table of schemas describes. */
export type EventOf<Schemas extends Record<string, z.ZodType>> = {
  [Type in keyof Schemas & string]: ToldEvent<Type, z.infer<Schemas[Type]>>;
}[keyof Schemas & string];

/** Something that happened to a build. */
export type BuildEvent = EventOf<typeof buildEventData>;

/** Values of an event that can be erased. They are kept beside the log, which has a salted hash of them. */
export const sealedValues = z
  .object({
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({ description: 'SHA-256 over the canonical JSON of `{"salt": salt, "values": {field: value}}`.' }),
    salt: z.string().nullable().meta({ description: 'Null: the values were erased.' }),
    fields: z.array(z.string()).meta({
      description:
        'Where the values are in `event_data`: `args`, or `request.inputs` for a member of a member. The hash of the event covers `event_data` without them, and with `"sealed": digest`. After an erasure, values that say nothing are in their places.',
    }),
  })
  .meta({ id: 'SealedValues' });
export type SealedValues = z.infer<typeof sealedValues>;

/** One event as the API shows it. */
export const eventView = z
  .object({
    id: z.int().meta({ description: 'Position in the log of all events.' }),
    seq: z.int().meta({ description: 'Number within its stream: 1, 2, 3, without gaps.' }),
    event_type: z.string(),
    from_status: z.string().optional(),
    to_status: z.string().optional(),
    event_data: z.record(z.string(), z.unknown()).optional(),
    sealed: sealedValues.optional(),
    timestamp,
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({ description: 'SHA-256 of the event and the hash of the event before it.' }),
    recorded_at: timestamp.meta({ description: 'When it was recorded. `timestamp` is when it happened.' }),
    dedupe_key: z.string().meta({ description: 'Recording an event twice with the same key has no effect.' }),
    previous_hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({ description: 'Hash of the event before it; 64 zeros for the first.' }),
  })
  .meta({ id: 'RecordedEvent' });
export type EventView = z.infer<typeof eventView>;

/** An event as the log has it. */
export interface RecordedEvent {
  position: number;
  /** The kind of the stream, and its id or name: `build:<id>`, `schedule:<name>`. */
  stream: string;
  seq: number;
  type: string;
  from_status: string | null;
  to_status: string | null;
  data: Record<string, unknown>;
  /** Set if values in `data` are kept beside the log. An exported event has only what the log has. */
  sealed?: SealedValues | undefined;
  occurred_at: string;
  recorded_at: string;
  dedupe_key: string;
  /** Hash of the event before it in the stream, 64 zeros for the first. */
  previous_hash: string;
  hash: string;
}
