import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { CancellationScope, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { BuildInput, BuildResult } from '../../contracts/builds/build-workflow.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { Run } from '../../contracts/github/github.ts';
import { statusOf } from '../../domain/builds/build.ts';
import { COMPLETED, STARTED } from '../../domain/builds/event-keys.ts';
import { buildQueuedEvent, buildRetriedEvent } from '../../domain/record/first-events.ts';
import { record } from '../activities.ts';
import { beginCallbacks } from '../ending/callback.ts';
import type { RecordedEnd } from '../ports/record.ts';
import { startInGroup } from './concurrency-group.ts';
import { awaitDirectDispatch } from './direct.ts';
import { dispatch } from './dispatch.ts';
import { type Ended, follow } from './follow.ts';
import { cancelLateRuns, lookForLateRuns } from './late-runs.ts';
import type { NoRun } from './not-done.ts';
import { type OpenBuild, openBuild, under } from './open-build.ts';
import { reopen, reopenedWithin } from './reopen.ts';
import { rerun } from './rerun.ts';
import { awaitOtherRun, recordDoubledRuns } from './shadow.ts';
import { failedJobsInMarkdown, withFailedJobs } from './why-it-failed.ts';

const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);
const RUN_ID = defineSearchAttributeKey('HapaxRunId', SearchAttributeType.KEYWORD);

/**
 * Leads one requested run of a GitHub Actions workflow from the accepted trigger to its end:
 *
 * accepted (queued -> started) -> dispatched (intent -> one POST -> in doubt: reconciled by reading) -> followed -> ended ->
 * callbacks begun -> open until the dedup window ends.
 *
 * A failed build that is retried goes through it again, from `build_retried`, under the same workflow id. If somebody runs its run
 * again on GitHub's own page, the build follows it again, from `build_reopened`.
 */
export async function build(input: BuildInput): Promise<BuildResult> {
  const opened = openBuild(input);
  return CancellationScope.nonCancellable(() =>
    Promise.race([lead(opened), opened.record.overtaken.then((end) => endAsRecorded(opened, end))]),
  );
}

/** A run for the build, or the reason why there is none. */
type Dispatched =
  | { run: Run; abandoned: string[]; seen?: { status: string; run_attempt: number }; ended?: Ended }
  | { none: NoRun };

/** A build whose start is recorded, with its run if it has one already. */
interface Accepted {
  build: OpenBuild;
  dispatched?: Dispatched;
}

async function lead(opened: OpenBuild): Promise<BuildResult> {
  const { input, operator } = opened;
  if (input.direct) {
    await awaitDirectDispatch(opened);
    // Somebody may have cancelled it while it had no workflow.
    const end = await record.findBuildEnd({ build_id: input.build_id });
    if (end) return endAsRecorded(opened, end);
  }
  let accepted: Accepted | undefined = input.reopen ? await reopen(opened, input.reopen) : await accept(opened);
  if (!accepted) {
    const why = input.reopen ? 'not_run_again' : 'superseded';
    return { build_id: input.build_id, status: why, conclusion: why, run_url: null };
  }
  for (;;) {
    const { build }: Accepted = accepted;
    const dispatched: Dispatched = accepted.dispatched ?? (await obtainRun(build));
    const end: End =
      'run' in dispatched ? await endWithRun(build, dispatched) : await endWithoutRun(build, dispatched.none);
    await beginCallbacks(
      { subject: streamOf(input), ending: `${build.prefix}completed` },
      input.callback !== undefined,
    );
    await end.late;

    const { status, conclusion, run_attempt } = end;
    const run: Run | undefined = 'run' in dispatched ? dispatched.run : undefined;
    const openMs = status === 'success' ? Date.parse(input.dedup_until) - Date.now() : 0;
    accepted = run && (await reopenedWithin(build, openMs, { ...run, run_attempt: run_attempt ?? 1 }));
    if (!accepted && run) await recordDoubledRuns(build);
    if (!accepted) {
      await build.record.finish();
      return { build_id: input.build_id, status, conclusion, run_url: run?.run_url ?? null };
    }
    operator.forget();
  }
}

/** Records that the build starts, or starts again. Returns undefined if another retry was first. */
async function accept(opened: OpenBuild): Promise<Accepted | undefined> {
  const { input, recordEvent } = opened;
  const { resume, callback } = input;
  let build = opened;
  if (resume) {
    const { data, dedupe_key, occurred_at } = buildRetriedEvent(resume);
    const existing = await recordEvent('build_retried', dedupe_key, data, occurred_at);
    if (existing.retry_id !== resume.retry_id) return undefined;
    build = under(opened, `${dedupe_key}:`);
  } else {
    if (callback) await record.keepCallbackUrl({ subject: streamOf(input), url: callback.url });
    const { data, occurred_at } = buildQueuedEvent(input);
    await recordEvent('build_queued', 'queued', data, occurred_at);
  }
  await build.record.recordRecovery();
  if (input.concurrency === undefined) await build.recordEvent('build_started', STARTED, {});
  else await startInGroup(build);
  return { build };
}

/** Obtains a run for the build: a new one, or another attempt of the one that failed. */
async function obtainRun(build: OpenBuild): Promise<Dispatched> {
  const { resume, request } = build.input;
  if (request.shadow) return awaitOtherRun(build);
  if (!resume?.run || resume.mode === 'redispatch') return dispatch(build);
  const { mode, run } = resume;
  const outcome = await rerun(build, { mode, run });
  return 'none' in outcome ? outcome : { run, abandoned: [], seen: outcome.seen };
}

/** The end of a build. */
interface End {
  status: string;
  conclusion: string;
  run_attempt: number | null;
  /** Settles once the search for runs that GitHub shows late is over. */
  late: Promise<void> | undefined;
}

/** Follows a run to its end and records it. */
async function endWithRun(build: OpenBuild, dispatched: Extract<Dispatched, { run: Run }>): Promise<End> {
  const { input, state, webhooks } = build;
  const { run, seen } = dispatched;
  state.phase = 'following';
  state.workflow_run_id = run.run_id;
  upsertSearchAttributes([
    { key: STATUS, value: 'in_progress' },
    { key: RUN_ID, value: String(run.run_id) },
  ]);
  setCurrentDetails(`Run [${run.run_id}](${run.run_url})`);
  const following = dispatched.ended ? Promise.resolve(dispatched.ended) : follow(build, run, seen);
  const late = cancelLateRuns(build, dispatched, following);
  const ended = await withFailedJobs(input, run, await following);
  const { status, conclusion, run_attempt, failed_jobs = [] } = await recordEnd(build, ended);
  if (ended.delivery_id !== undefined && (ended.run_attempt ?? 0) > (run_attempt ?? 0)) {
    // An earlier try had recorded the end of the previous attempt, and a webhook has come since.
    webhooks.add({ run_id: run.run_id, run_attempt: ended.run_attempt!, delivery_id: ended.delivery_id });
  }
  close(build, status, `${conclusion}: [run](${run.run_url})${failedJobsInMarkdown(failed_jobs)}`);
  return { status, conclusion, run_attempt, late };
}

/** Records the end of a build that will never have a run. */
async function endWithoutRun(build: OpenBuild, none: NoRun): Promise<End> {
  const { input, operator, recordEvent } = build;
  if (none.conclusion === 'cancelled') {
    await recordEvent('cancel_requested', 'cancel', { by: operator.cancelledBy ?? 'operator' });
  }
  const { status, conclusion, run_attempt, detail } = await recordEnd(build, {
    conclusion: none.conclusion,
    run_attempt: null,
    learned_from: LEARNED_FROM[none.conclusion],
    request_id: null,
    detail: none.reason,
  });
  // The dispatches of another program need nobody's attention here.
  if (status === 'failure' && !input.request.shadow) {
    await recordEvent('build_dead_lettered', 'dead_lettered', { reason: none.reason, attempts: none.attempts });
  }
  const late = lookForLateRuns(build, none.unsettled);
  close(build, status, `${conclusion}: ${detail}`);
  return { status, conclusion, run_attempt, late };
}

const LEARNED_FROM = {
  cancelled: 'operator',
  timed_out: 'deadline',
  dispatch_rejected: 'dispatch',
  dispatch_failed: 'dispatch',
  not_started: 'listing',
} as const;

/** Records an end. @returns the end that the record has: an earlier try of this workflow task may have recorded another. */
async function recordEnd({ recordEvent }: OpenBuild, ended: Ended & { detail?: string; failed_jobs?: FailedJob[] }) {
  const type = statusOf(ended.conclusion) === 'cancelled' ? 'build_cancelled' : 'build_completed';
  const { conclusion, run_attempt, detail, failed_jobs } = await recordEvent(type, COMPLETED, ended);
  return { status: statusOf(conclusion), conclusion, run_attempt, detail, failed_jobs };
}

/** Ends the build as the record has it, which has an end that this workflow does not know. */
async function endAsRecorded(build: OpenBuild, end: RecordedEnd): Promise<BuildResult> {
  const { input } = build;
  const { status, conclusion, run_url, dedupe_key } = end;
  close(build, status, `${conclusion}: the record has its end`);
  await beginCallbacks({ subject: streamOf(input), ending: dedupe_key }, input.callback !== undefined);
  return { build_id: input.build_id, status, conclusion, run_url };
}

/** Shows in Temporal how the build ended. */
function close({ state }: OpenBuild, status: string, details: string): void {
  state.phase = 'ended';
  upsertSearchAttributes([{ key: STATUS, value: status }]);
  setCurrentDetails(details);
}

function streamOf({ build_id }: BuildInput): string {
  return `build:${build_id}`;
}
