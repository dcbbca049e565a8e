import { randomUUID } from 'node:crypto';
import { TERMINAL_STATUSES } from '../../contracts/builds/build.ts';
import type {
  BuildInput,
  BuildRecovery,
  BuildResult,
  Reopening,
  Resumption,
} from '../../contracts/builds/build-workflow.ts';
import type { BuildEvent, RecordedEvent } from '../../contracts/builds/event.ts';
import { type Build, statusOf } from '../../domain/builds/build.ts';
import {
  buildEndLostEvent,
  buildQueuedEvent,
  buildRecoveredEvent,
  buildRetriedEvent,
} from '../../domain/record/first-events.ts';
import { foldEvents } from '../../domain/record/fold.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import { BUILDS, buildStream } from '../../store/builds/build-stream.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { inputAgain, runOf } from '../builds/operate-build.ts';
import { startBuild } from '../builds/start-build.ts';
import { beginCallbacks } from '../callbacks/begin-telling.ts';
import type { Ended, Outcome, ReconcileDependencies } from './reconcile.ts';
import { type Execution, inputOfExecution } from './workflows.ts';

/**
 * Starts a workflow in place of the lost one of an open build. It goes through the build from its beginning; what the record
 * has stands, and a dispatch that the record intended is looked for and never sent again.
 */
export async function resumeBuild(deps: ReconcileDependencies, id: number, detail: string): Promise<Outcome> {
  const found = await findStream(deps.db, BUILDS, id);
  if (!found || isEnded(found.state)) return 'agrees';
  const input: BuildInput = { ...(await inputAgain(deps, found.state)), ...lifeOf(found.events) };
  const recovery: BuildRecovery = {
    id: randomUUID(),
    at: new Date().toISOString(),
    detail,
    record_set_back: epochOf(found.events) < deps.epoch,
    ...cancellationIn(found.events),
  };
  if (!(await startBuild(deps, { ...input, recovery }, 'ALLOW_DUPLICATE'))) {
    return endBuild(deps, found.state, {
      conclusion: 'workflow_lost',
      detail: 'its workflow was lost, and an equal request runs as another build: look at that one before a retry',
      deadLetter: true,
    });
  }
  await appendEvent(deps.db, BUILDS, id, buildRecoveredEvent(recovery));
  return 'resumed';
}

function isEnded({ status }: Build): boolean {
  return TERMINAL_STATUSES.includes(status);
}

function epochOf(events: RecordedEvent[]): number {
  return (events[0]?.data.epoch as number | undefined) ?? 1;
}

/** How the build was begun last: for the first time, by a retry, or by somebody who ran its run again at GitHub. */
function lifeOf(events: RecordedEvent[]): { resume?: Resumption; reopen?: Reopening } {
  const at = lifeStart(events);
  const begun = events[at];
  if (!begun || at === 0) return {};
  const before = foldEvents<Build, BuildEvent>(BUILDS, events.slice(0, at))!;
  const run = runOf(before);
  if (begun.type === 'build_retried') {
    const { retry, mode, by, retry_id } = begun.data as Omit<Resumption, 'at' | 'run'>;
    return { resume: { retry, mode, by, retry_id, at: begun.occurred_at, run } };
  }
  const { delivery_id, run_attempt } = begun.data as { delivery_id: string; run_attempt: number };
  return { reopen: { run: run!, delivery_id, recorded_attempt: run_attempt } };
}

function lifeStart(events: RecordedEvent[]): number {
  return events.findLastIndex(({ type }) => ['build_queued', 'build_retried', 'build_reopened'].includes(type));
}

function cancellationIn(events: RecordedEvent[]): Pick<BuildRecovery, 'cancelled_by'> {
  const asked = events.slice(lifeStart(events)).find(({ type }) => type === 'cancel_requested');
  return asked ? { cancelled_by: String(asked.data.by) } : {};
}

/** Records the end of an open build whose workflow has ended. */
export async function endBuildAs(deps: ReconcileDependencies, id: number, ended: Ended): Promise<Outcome> {
  const found = await findStream(deps.db, BUILDS, id);
  if (!found || isEnded(found.state)) return 'agrees';
  if (ended.state !== 'COMPLETED') {
    const detail = `its workflow was ${ended.state.toLowerCase()}${ended.reason ? ` (${ended.reason})` : ''}`;
    return endBuild(deps, found.state, {
      conclusion: 'workflow_ended',
      detail: `${detail}; a run that it has goes on`,
      deadLetter: true,
    });
  }
  const { status, conclusion } = ended.result as BuildResult;
  // Of two who retried together one ends so; the build itself goes on without a workflow.
  if (!TERMINAL_STATUSES.some((terminal) => terminal === status)) {
    return resumeBuild(deps, id, 'its workflow had ended without leading it to its end');
  }
  return endBuild(deps, found.state, { conclusion, detail: 'the record had lost its end', deadLetter: false });
}

/** Its callback is begun first and waits for the end, so that a crash in between does not lose it. */
async function endBuild(
  { client, db }: ReconcileDependencies,
  build: Build,
  { conclusion, detail, deadLetter }: { conclusion: string; detail: string; deadLetter: boolean },
): Promise<Outcome> {
  const step = `unled:${build.started_at ?? build.queued_at}:`;
  const occurred_at = new Date().toISOString();
  const append = (key: string, event: Pick<BuildEvent, 'type' | 'data'>) =>
    appendEvent(db, BUILDS, build.id, { ...event, occurred_at, dedupe_key: step + key } as BuildEvent);
  const subject = buildStream(build.id);
  await beginCallbacks({ client, db }, { subject, ending: `${step}completed` });
  await append('recovered', {
    type: 'build_recovered',
    data: { reason: 'workflow_ended', by: 'reconciliation', detail },
  });
  const { run_attempt } = build;
  const data = { conclusion, run_attempt, learned_from: 'reconcile', request_id: null, detail } as const;
  const isCancelled = statusOf(conclusion) === 'cancelled';
  await append('completed', { type: isCancelled ? 'build_cancelled' : 'build_completed', data });
  if (!deadLetter) return 'ended';
  await append('dead_lettered', {
    type: 'build_dead_lettered',
    data: { reason: detail, attempts: build.attempts },
  });
  return 'dead_lettered';
}

/** Brings back into the record what it lost of a build that has ended since. */
export async function restoreBuild(
  deps: ReconcileDependencies,
  execution: Execution,
  ended: () => Promise<Ended>,
): Promise<Outcome> {
  const input = (await inputOfExecution(deps.client, execution)) as BuildInput;
  const { build_id: id, workflow_id, created_at, resume, reopen } = input;
  if (reopen) return 'unknown';
  const owner = { workflow_id, created_at };
  const append = (event: BuildEvent) => appendEvent(deps.db, BUILDS, id, event, { owner });
  await append(buildQueuedEvent(input));
  if (resume) {
    const retried = buildRetriedEvent(resume);
    try {
      await append(retried);
    } catch (error) {
      if (!(error instanceof IllegalEvent)) throw error;
      const told = { occurred_at: new Date().toISOString(), dedupe_key: `recovered:${execution.run_id}:before` };
      await append(buildEndLostEvent(resume.run, { by: 'reconciliation', ...told }));
      await append(retried);
    }
  }
  const outcome = await endBuildAs(deps, id, await ended());
  return outcome === 'ended' ? 'restored' : outcome;
}
