import { z } from 'zod';
import { plannedJobSchema } from './jobs.ts';

const durationMs = z.number().int().nonnegative();

/** What can be changed while the simulator runs (`PUT /_simulator/settings`); durations in milliseconds. */
export const settingsSchema = z.strictObject({
  /** How long a run stays queued; null: for ever. Applies to attempts started from now on, as the next two do. */
  queued_for_ms: durationMs.nullable(),
  /** How long a run is in progress; null: for ever. */
  running_for_ms: durationMs.nullable(),
  /** How runs end. */
  conclusion: z.string().min(1),
  /** How long a cancellation takes to show, after its 202. */
  cancel_takes_ms: durationMs,
  /** The input that carries the caller's token. */
  correlation_input: z.string().min(1),
  /** Whether the workflow declares that input; if not, sending it is a 422. */
  declares_correlation: z.boolean(),
  /** Whether the workflow's run-name echoes the token, so that it shows in `display_title`. */
  echoes_correlation: z.boolean(),
  /** The inputs the workflow declares besides that one; null: any. */
  declared_inputs: z.array(z.string()).nullable(),
  /** The inputs that must be given. */
  required_inputs: z.array(z.string()),
  /** The branches and tags that exist; null: all but those that begin with `missing`. */
  refs: z.array(z.string()).nullable(),
  /** The workflow files on the default branch; null: all but missing.yml. */
  workflows: z.array(z.string()).nullable(),
  /** What the jobs of runs that end badly come to; null: one that fails in its second step. */
  jobs: z.array(plannedJobSchema).nullable(),
  /** Whether the credential has the right "Checks: read". */
  may_read_checks: z.boolean(),
  /** The clock that GitHub shows minus the one of this machine: in times, `Date` headers and ends of limits. */
  clock_off_ms: z.number().int(),
  /** How many runs are left out of each page of a listing, as GitHub leaves some out. */
  short_pages: z.number().int().min(0).max(99),
  /** Whether return_run_details is understood. false: 400, as an older GitHub Enterprise Server answers. */
  knows_run_details: z.boolean(),
  /** Whether a token must be presented; `bad` is never a good one. */
  require_token: z.boolean(),
  /** Every connection is destroyed (controls excepted). */
  down: z.boolean(),
  /** Runs younger than this are missing from listings. */
  listing_lag_ms: durationMs,
  /** `empty`: a listing with a filter finds nothing, as GitHub's sometimes does. */
  filtered_listings: z.enum(['right', 'empty']),
  /** `cancel-in-progress`: a run cancels the earlier one of its workflow and ref. */
  concurrency: z.enum(['none', 'cancel-in-progress']),
  /** Requests an hour before the primary rate limit answers; 304s are free. */
  rate_limit: z.number().int().positive(),
  /** Where `workflow_run` events go; null: nowhere. */
  webhook: z.strictObject({ url: z.url(), secret: z.string() }).nullable(),
  /** Whether the token has the right admin:repo_hook; without it GitHub says that there are no hooks (404). */
  may_list_hooks: z.boolean(),
  /** What goes wrong with every delivery, for as long as it is set. */
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

/** A GitHub that works, with builds quick enough to watch. */
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
