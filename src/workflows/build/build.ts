import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { CancellationScope, setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import type { BuildInput, BuildResult } from '../../contracts/builds/build-workflow.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { Run } from '../../contracts/github/github.ts';
import { statusOf } from '../../domain/builds/build.ts';
import { buildQueuedEvent, buildRetriedEvent } from '../../domain/record/first-events.ts';
import { record } from '../activities.ts';
import { beginCallbacks } from '../ending/callback.ts';
import { type BuildStateView, stateQuery } from '../messages.ts';
import type { RecordedEnd } from '../ports/record.ts';
import { dispatch } from './dispatch.ts';
import { type Ended, follow } from './follow.ts';
import { cancelLateRuns, lookForLateRuns } from './late-runs.ts';
import type { NoRun } from './not-done.ts';
import { listenToOperator, type Operator } from './operator.ts';
import { tellRecovery } from './recovery.ts';
import { reopen, reopenedWithin } from './reopen.ts';
import { rerun } from './rerun.ts';
import { type BuildJournal, openBuildJournal, type Tell } from './teller.ts';
import { takeTurn } from './turn.ts';
import { listenForWakes, type Wakes } from './wakes.ts';
import { failedJobsInMarkdown, withFailedJobs } from './why-it-failed.ts';

const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);
const RUN_ID = defineSearchAttributeKey('HapaxRunId', SearchAttributeType.KEYWORD);

/**
 * One requested run of a GitHub Actions workflow, from the accepted trigger to its end:
 *
 * queued -> started -> intent -> dispatch once -> (doubt: reconcile by reading) -> triggered -> followed -> completed
 * -> (callback begun) -> open until the dedup window ends.
 *
 * A failed build that is retried goes through it again, from `build_retried`, under the same workflow id; one whose run was
 * run again in GitHub's own page is followed again, from `build_reopened`.
 */
export async function build(input: BuildInput): Promise<BuildResult> {
  const state: BuildStateView = { build_id: input.build_id, phase: 'queued', attempt: 0, workflow_run_id: null };
  setHandler(stateQuery, () => state);
  const operator = listenToOperator(input.build_id);
  if (input.recovery?.cancelled_by !== undefined) operator.cancel(input.recovery.cancelled_by);
  const wakes = listenForWakes();
  const journal = openBuildJournal(input);
  return CancellationScope.nonCancellable(() =>
    Promise.race([
      run(input, journal, state, operator, wakes),
      journal.overtaken.then((end) => endAsRecorded(input, state, end)),
    ]),
  );
}

/** Leaves the build as the record has it. */
async function endAsRecorded(
  input: BuildInput,
  state: BuildStateView,
  { status, conclusion, run_url, dedupe_key }: RecordedEnd,
): Promise<BuildResult> {
  state.phase = 'ended';
  upsertSearchAttributes([{ key: STATUS, value: status }]);
  setCurrentDetails(`${conclusion}: the record has its end, which Temporal had lost`);
  await beginCallbacks({ subject: streamOf(input), ending: dedupe_key }, input.callback !== undefined);
  return { build_id: input.build_id, status, conclusion, run_url };
}

async function run(
  input: BuildInput,
  journal: BuildJournal,
  state: BuildStateView,
  operator: Operator,
  wakes: Wakes,
): Promise<BuildResult> {
  let begun: Begun | undefined = input.reopen
    ? await reopen(input, input.reopen, journal)
    : await begin(input, journal, state, operator);
  if (!begun) {
    const why = input.reopen ? 'not_run_again' : 'superseded';
    return { build_id: input.build_id, status: why, conclusion: why, run_url: null };
  }
  for (;;) {
    const { tell, prefix }: Begun = begun;
    const obtained: Obtained = begun.obtained ?? (await obtainRun(input, tell, state, operator));
    const ended = await leadToEnd(input, tell, obtained, state, operator, wakes);
    await beginCallbacks({ subject: streamOf(input), ending: `${prefix}completed` }, input.callback !== undefined);
    await ended.late;

    const { status, conclusion, run_attempt } = ended;
    const run: Run | undefined = 'run' in obtained ? obtained.run : undefined;
    const openMs = status === 'success' ? Date.parse(input.dedup_until) - Date.now() : 0;
    begun = run && (await reopenedWithin(openMs, input, journal, { ...run, run_attempt: run_attempt ?? 1 }, wakes));
    if (!begun) return { build_id: input.build_id, status, conclusion, run_url: run?.run_url ?? null };
    operator.forget();
  }
}

/** Follows a build to its end, whether it has a run or will never have one, and records how it ended. */
async function leadToEnd(
  input: BuildInput,
  tell: Tell,
  obtained: Obtained,
  state: BuildStateView,
  operator: Operator,
  wakes: Wakes,
): Promise<Ended & { status: string; late: Promise<void> | undefined }> {
  let ended: Ended & { detail?: string; failed_jobs?: FailedJob[] };
  let late: Promise<void> | undefined;
  if ('run' in obtained) {
    const { run, seen } = obtained;
    state.phase = 'following';
    state.workflow_run_id = run.run_id;
    upsertSearchAttributes([
      { key: STATUS, value: 'in_progress' },
      { key: RUN_ID, value: String(run.run_id) },
    ]);
    setCurrentDetails(`Run [${run.run_id}](${run.run_url})`);
    const following = obtained.ended
      ? Promise.resolve(obtained.ended)
      : follow(input, tell, run, operator, wakes, seen);
    late = cancelLateRuns(input, tell, obtained, following);
    ended = await withFailedJobs(input, run, await following);
  } else {
    const { conclusion, reason } = obtained.none;
    if (conclusion === 'cancelled')
      await tell('cancel_requested', 'cancel', { by: operator.cancelledBy ?? 'operator' });
    const learned_from = conclusion === 'cancelled' ? 'operator' : conclusion === 'timed_out' ? 'deadline' : 'dispatch';
    ended = { conclusion, run_attempt: null, learned_from, request_id: null, detail: reason };
  }

  // The end that the record holds: an earlier try of this workflow task may have told another.
  const type = statusOf(ended.conclusion) === 'cancelled' ? 'build_cancelled' : 'build_completed';
  const { conclusion, run_attempt, detail, failed_jobs = [] } = await tell(type, 'completed', ended);
  const status = statusOf(conclusion);
  if ('run' in obtained && ended.delivery_id !== undefined && (ended.run_attempt ?? 0) > (run_attempt ?? 0)) {
    // That try had told the end of the attempt before, and a webhook has come since.
    wakes.add({ run_id: obtained.run.run_id, run_attempt: ended.run_attempt!, delivery_id: ended.delivery_id });
  }
  if ('none' in obtained && status === 'failure') {
    const { reason, attempts } = obtained.none;
    await tell('build_dead_lettered', 'dead_lettered', { reason, attempts });
  }
  if ('none' in obtained) late = lookForLateRuns(input, tell, obtained.none.unsettled);
  state.phase = 'ended';
  upsertSearchAttributes([{ key: STATUS, value: status }]);
  const run_url = 'run' in obtained ? obtained.run.run_url : null;
  const why = failedJobsInMarkdown(failed_jobs);
  setCurrentDetails(run_url === null ? `${conclusion}: ${detail}` : `${conclusion}: [run](${run_url})${why}`);
  return { ...ended, conclusion, run_attempt, status, late };
}

/** A build whose beginning is recorded, and how its further steps are told. */
interface Begun {
  tell: Tell;
  prefix: string;
  /** Its run, where it has one already. */
  obtained?: Obtained;
}

/** Records that the build begins, or begins again; undefined if another retry was first. */
async function begin(
  input: BuildInput,
  journal: BuildJournal,
  state: BuildStateView,
  operator: Operator,
): Promise<Begun | undefined> {
  const { resume } = input;
  const start = async (tell: Tell, prefix: string) => {
    await tellRecovery(input, journal);
    if (input.concurrency === undefined) await tell('build_started', 'started', {});
    else await takeTurn(input, `${prefix}started`, journal, state, operator);
    return { tell, prefix };
  };
  if (!resume) {
    const tell = journal.teller();
    if (input.callback) await record.keepCallbackUrl({ subject: streamOf(input), url: input.callback.url });
    const { data, occurred_at } = buildQueuedEvent(input);
    await tell('build_queued', 'queued', data, occurred_at);
    return start(tell, '');
  }
  const { data, dedupe_key, occurred_at } = buildRetriedEvent(resume);
  const standing = await journal.teller()('build_retried', dedupe_key, data, occurred_at);
  if (standing.retry_id !== resume.retry_id) return undefined;
  const prefix = `${dedupe_key}:`;
  return start(journal.teller(prefix), prefix);
}

function streamOf({ build_id }: BuildInput): string {
  return `build:${build_id}`;
}

type Obtained =
  | { run: Run; abandoned: string[]; seen?: { status: string; run_attempt: number }; ended?: Ended }
  | { none: NoRun };

/** A run for the build: a new one, or another attempt of the one that failed. */
async function obtainRun(input: BuildInput, tell: Tell, state: BuildStateView, operator: Operator): Promise<Obtained> {
  const { resume } = input;
  if (!resume?.run || resume.mode === 'redispatch') return dispatch(input, tell, state, operator);
  const { mode, run } = resume;
  const outcome = await rerun(input, { mode, run }, tell, state, operator);
  return 'none' in outcome ? outcome : { run, abandoned: [], seen: outcome.seen };
}
