import { randomUUID } from 'node:crypto';
import type { Resumption } from '../../contracts/builds/build-workflow.ts';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { UNFOLLOWED } from '../../contracts/builds/unfollowed.ts';
import type { ListedRun } from '../../contracts/github/github.ts';
import type { Build } from '../../domain/builds/build.ts';
import { placeOfRuns, shortRef } from '../../domain/builds/concurrency-group.ts';
import { buildIdOfToken, isDispatchOf, tokenIn } from '../../domain/github/find-runs.ts';
import { buildRetriedEvent } from '../../domain/record/first-events.ts';
import { listPlacesOfBuilds, type Place } from '../../store/builds/build-list-places.ts';
import { BUILDS, buildStream } from '../../store/builds/build-stream.ts';
import type { Installation } from '../../store/installation/installation-find.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { BUILD } from '../builds/build-kind.ts';
import { inputAgain, runOf } from '../builds/operate-build.ts';
import type { Difference, Outcome, ReconcileDependencies, ReconcileOptions } from './reconcile.ts';

/** How far back runs are read. */
const BACK_MS = 35 * 86_400_000;

/** For this long after a start, forges are asked again soon if their listings may not be complete yet. After that, hourly is enough. */
const SOON_MS = 600_000;

interface ForgeComparison extends Pick<ReconcileOptions, 'listRuns' | 'runningMs' | 'signal' | 'unsettled'> {
  /** Repairs a difference, unless this is a dry run. */
  mend(subject: string, found: Difference['found'], mend: () => Promise<Outcome>): Promise<void>;
}

/**
 * Looks at the forges for runs of retries that neither the record nor Temporal knows, once in each epoch after the first. Starts
 * those builds again, which follow them.
 * @returns the last epoch in which every forge has listed its runs, long enough after the loss to list all.
 */
export async function compareForges(
  deps: ReconcileDependencies,
  { epoch, reconciled_epoch }: Installation,
  { listRuns, runningMs = 0, signal, unsettled, mend }: ForgeComparison,
): Promise<number> {
  if (reconciled_epoch >= epoch || !listRuns) return reconciled_epoch;
  let isComplete = runningMs > deps.policy.reconcile_window_ms;
  for (const place of await listPlacesOfBuilds(deps.db, BACK_MS)) {
    if (signal?.aborted) return reconciled_epoch;
    // What a forge answers must not keep the stores from being compared.
    const listed = await listRuns(place, BACK_MS).catch((error: unknown) => ({ fault: String(error) }));
    if ('runs' in listed) {
      await resumeLostRetries(deps, place, { runs: listed.runs, mend });
      if (!listed.complete)
        deps.log.warn({ ...place }, 'retries are not found whose runs are older than those that Hapax reads');
    } else {
      deps.log.warn(
        { ...place, fault: listed.fault },
        'lost retries cannot be found: the forge does not list its runs',
      );
      isComplete = false;
    }
  }
  if (isComplete) return epoch;
  if (runningMs < SOON_MS) unsettled?.();
  return reconciled_epoch;
}

async function resumeLostRetries(
  deps: ReconcileDependencies,
  place: Place,
  { runs, mend }: Pick<ForgeComparison, 'mend'> & { runs: readonly ListedRun[] },
): Promise<void> {
  for (const [id, own] of Map.groupBy(runs, ({ title }) => buildIdOfToken(title))) {
    const found = id === undefined ? undefined : await findStream(deps.db, BUILDS, id);
    if (!found || placeOfRuns(found.state.request) !== placeOfRuns(place)) continue;
    const resume = lostRetryOf(deps, found.state, { events: found.events, runs: own });
    if (resume) await mend(buildStream(found.state.id), 'retry_lost', resume);
  }
}

/** Returns how to go on with a build that was retried after its last event; undefined if its runs do not show that. */
function lostRetryOf(
  deps: ReconcileDependencies,
  build: Build,
  { events, runs }: { events: readonly RecordedEvent[]; runs: readonly ListedRun[] },
): (() => Promise<Outcome>) | undefined {
  const { completed_at, request } = build;
  if (completed_at === null || build.erased_at !== null || request.shadow) return undefined;
  const tokens = new Set(events.map(({ data }) => data.token));
  const isLost = (run: ListedRun) =>
    isDispatchOf(run, request.workflow) &&
    (run.head_branch === null || run.head_branch === shortRef(request.ref)) &&
    !tokens.has(tokenIn(run.title)) &&
    run.run_id > (build.workflow_run_id ?? 0) &&
    // A forge tells whole seconds.
    Date.parse(run.created_at) + 1_000 > Date.parse(completed_at);
  const lost = runs.filter(isLost).toSorted((a, b) => a.run_id - b.run_id);
  const last = lost.pop();
  if (last && build.status === 'failure') {
    // There may have been several retries. Those before the last have ended.
    const before = lost.findLast(({ status }) => status === 'completed');
    return () => redispatched(deps, build, last, before);
  }
  const own = runs.find(({ run_id }) => run_id === build.workflow_run_id);
  return own && isRunAgain(build, own) ? () => runAgain(deps, build) : undefined;
}

function isRunAgain({ run_attempt, conclusion }: Build, run: ListedRun): boolean {
  // Forges that do not number attempts say 0. A run that nobody followed to its end may still be in its first attempt.
  return run.run_attempt > (run_attempt ?? 1) || (run.status !== 'completed' && !UNFOLLOWED.includes(conclusion));
}

/** Retries the build as somebody did before. Its workflow finds the run of that retry, and sends nothing. */
async function redispatched(
  deps: ReconcileDependencies,
  build: Build,
  { created_at }: ListedRun,
  before: ListedRun | undefined,
): Promise<Outcome> {
  const resume: Resumption = {
    ...{ retry: build.retries + 1, mode: 'redispatch', by: 'reconciliation', retry_id: randomUUID() },
    at: new Date(created_at).toISOString(),
    run: before ? { run_id: before.run_id, run_url: before.run_url, run_attempt: before.run_attempt } : runOf(build),
  };
  const detail = 'the record had lost a retry; Hapax found its run and started a workflow that follows it';
  const recovery = { id: randomUUID(), at: new Date().toISOString(), detail, record_set_back: true };
  const input = { ...(await inputAgain(deps, build)), resume, recovery };
  if (!(await BUILD.start(deps, input, 'ALLOW_DUPLICATE'))) return 'agrees';
  await appendEvent(deps.db, BUILDS, build.id, buildRetriedEvent(resume));
  return 'resumed';
}

/** Starts the workflow that asks the forge whether the run was run again, and follows it. */
async function runAgain(deps: ReconcileDependencies, build: Build): Promise<Outcome> {
  const reopen = { run: runOf(build)!, delivery_id: `epoch ${deps.epoch}`, learned_from: 'reconcile' } as const;
  const input = { ...(await inputAgain(deps, build)), reopen };
  return (await BUILD.start(deps, input, 'ALLOW_DUPLICATE')) ? 'resumed' : 'agrees';
}
