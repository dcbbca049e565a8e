import { z } from 'zod';
import { plannedArtifactSchema } from './artifacts.ts';
import { plannedJobSchema } from './jobs.ts';

const durationMs = z.number().int().nonnegative();

/** Settings that can change while the simulator runs (`PUT /_simulator/settings`). Durations are in milliseconds. */
export const settingsSchema = z.strictObject({
  /** How long a run stays queued; null: forever. Like the next two, it applies to attempts that start from now on. */
  queued_for_ms: durationMs.nullable(),
  /** How long a run is in progress; null: forever. */
  running_for_ms: durationMs.nullable(),
  /** How runs end. */
  conclusion: z.string().min(1),
  /** How long a cancellation takes to show after the response 202. */
  cancel_takes_ms: durationMs,
  /** The input that carries the client's token. */
  correlation_input: z.string().min(1),
  /** Whether the workflow declares that input; if not, sending it is a 422. */
  declares_correlation: z.boolean(),
  /** Whether the workflow's run-name echoes the token, so that it shows in `display_title`. */
  echoes_correlation: z.boolean(),
  /** The other inputs that the workflow declares; null: any. */
  declared_inputs: z.array(z.string()).nullable(),
  /** The inputs that are required. */
  required_inputs: z.array(z.string()),
  /** The branches and tags that exist; null: all except those that begin with `missing`. */
  refs: z.array(z.string()).nullable(),
  /** The workflow files on the default branch; null: all except missing.yml. */
  workflows: z.array(z.string()).nullable(),
  /** The jobs of runs that fail; null: one that fails in its second step. */
  jobs: z.array(plannedJobSchema).nullable(),
  /** The artifacts of runs that succeed. */
  artifacts: z.array(plannedArtifactSchema),
  /** Sigstore bundles by the digest that they are about; null: a lost one. */
  attestations: z.record(z.string(), z.array(z.record(z.string(), z.unknown()).nullable())),
  /** Whether attestations contain their bundles, as until July 2026. Otherwise, they contain the bundles' URLs. */
  embeds_bundles: z.boolean(),
  /** Whether the credential has the right "Attestations: read". */
  may_read_attestations: z.boolean(),
  /** Whether the credential has the right "Checks: read". */
  may_read_checks: z.boolean(),
  /** GitHub's clock minus this machine's: in times, `Date` headers and ends of limits. */
  clock_off_ms: z.number().int(),
  /** How many runs are left out of each page of a listing, as GitHub leaves some out. */
  short_pages: z.number().int().min(0).max(99),
  /** Whether it understands return_run_details. false: 400, the response of an older GitHub Enterprise Server. */
  knows_run_details: z.boolean(),
  /** Whether a token is required. `bad` is never valid. */
  require_token: z.boolean(),
  /** Whether every connection is destroyed (except to the controls). */
  down: z.boolean(),
  /** Runs younger than this are missing from listings. */
  listing_lag_ms: durationMs,
  /** `empty`: a filtered listing finds nothing, which sometimes happens at GitHub. */
  filtered_listings: z.enum(['right', 'empty']),
  /** `cancel-in-progress`: a run cancels earlier ones of its workflow and ref. */
  concurrency: z.enum(['none', 'cancel-in-progress']),
  /** Requests an hour before the primary rate limit applies. 304s are free. */
  rate_limit: z.number().int().positive(),
  /** Receiver of `workflow_run` events; null: none. */
  webhook: z.strictObject({ url: z.url(), secret: z.string() }).nullable(),
  /** Whether the token has the right admin:repo_hook. Without it, GitHub says that there are no hooks (404). */
  may_list_hooks: z.boolean(),
  /** Faults of every delivery, while they are set. */
  webhook_faults: z.strictObject({
    lose: z.boolean().default(false),
    double: z.boolean().default(false),
    /** Swaps each delivery with the one after it. */
    reorder: z.boolean().default(false),
    delay_ms: durationMs.default(0),
  }),
});

/** See `settingsSchema`. */
export type Settings = z.infer<typeof settingsSchema>;

/** A GitHub without faults, with builds that are quick enough to watch. */
export const defaultSettings: Settings = {
  queued_for_ms: 500,
  running_for_ms: 2_000,
  conclusion: 'success',
  cancel_takes_ms: 100,
  correlation_input: 'hapax_id',
  declares_correlation: true,
  echoes_correlation: true,
  declared_inputs: null,
  required_inputs: [],
  refs: null,
  workflows: null,
  jobs: null,
  artifacts: [],
  attestations: {},
  embeds_bundles: false,
  may_read_attestations: true,
  may_read_checks: true,
  clock_off_ms: 0,
  short_pages: 0,
  knows_run_details: true,
  require_token: false,
  down: false,
  listing_lag_ms: 0,
  filtered_listings: 'right',
  concurrency: 'none',
  rate_limit: 5_000,
  webhook: null,
  may_list_hooks: true,
  webhook_faults: { lose: false, double: false, reorder: false, delay_ms: 0 },
};
