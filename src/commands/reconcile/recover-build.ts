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
  buildRecoveredEvent,
  buildReopenedEvent,
  buildRetriedEvent,
} from '../../domain/record/first-events.ts';
import { foldEvents } from '../../domain/record/fold.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import { BUILD } from '../builds/build-kind.ts';
import { inputAgain, runOf } from '../builds/operate-build.ts';
import type { End, Recoverable } from './recover.ts';

/** How builds are recovered. */
export const RECOVERABLE_BUILD: Recoverable<Build, BuildEvent, BuildInput> = {
  ...BUILD,
  idFrom: Number,
  async inputInPlace(deps, build, events, recovery) {
    const record_set_back = epochOf(events) < deps.epoch;
    const input = { ...(await inputAgain(deps, build)), ...lastStartIn(events) };
    return { ...input, recovery: { ...recovery, record_set_back, ...cancellationIn(events) } };
  },
  recoveredEvent: buildRecoveredEvent,
  endWhereTaken(build) {
    const other = 'an equal request runs as another build: look at that one before a retry';
    return endWith(build, 'workflow_lost', `its workflow was lost, and ${other}`, true);
  },
  endOf({ state, reason, result }, build) {
    if (state !== 'COMPLETED') {
      const detail = `its workflow was ${state.toLowerCase()}${reason ? ` (${reason})` : ''}; a run that it has goes on`;
      return endWith(build, 'workflow_ended', detail, true);
    }
    const { status, conclusion } = result as BuildResult;
    const isEnd = TERMINAL_STATUSES.some((terminal) => terminal === status);
    return isEnd ? endWith(build, conclusion, 'the record had lost its end', false) : undefined;
  },
  lifeOf: ({ started_at, queued_at }) => started_at ?? queued_at,
  endKey: 'completed',
  attemptsOf: ({ attempts }) => attempts,
  restartEvent: ({ resume, reopen }, now) =>
    resume ? buildRetriedEvent(resume) : reopen && buildReopenedEvent(reopen, now),
  endLostEvent: ({ resume, reopen }, lost) => buildEndLostEvent((resume ?? reopen)?.run ?? null, lost),
};

function endWith({ run_attempt }: Build, conclusion: string, detail: string, isDeadLetter: boolean): End<BuildEvent> {
  const data = { conclusion, run_attempt, learned_from: 'reconcile', request_id: null, detail } as const;
  const type = statusOf(conclusion) === 'cancelled' ? 'build_cancelled' : 'build_completed';
  return { event: { type, data }, detail, isDeadLetter };
}

function epochOf(events: RecordedEvent[]): number {
  return (events[0]?.data.epoch as number | undefined) ?? 1;
}

/** Returns how the build was last begun: for the first time, by a retry, or by somebody who re-ran its run at GitHub. */
function lastStartIn(events: RecordedEvent[]): { resume?: Resumption; reopen?: Reopening } {
  const at = indexOfLastStart(events);
  const begun = events[at];
  if (!begun || at === 0) return {};
  const before = foldEvents<Build, BuildEvent>(BUILDS, events.slice(0, at))!;
  const run = runOf(before);
  if (begun.type === 'build_retried') {
    const { retry, mode, by, retry_id } = begun.data as Omit<Resumption, 'at' | 'run'>;
    return { resume: { retry, mode, by, retry_id, at: begun.occurred_at, run } };
  }
  const { delivery_id, run_attempt, learned_from } = begun.data as Omit<Reopening, 'run'> & { run_attempt: number };
  const learned = learned_from === 'reconcile' ? { learned_from } : {};
  return { reopen: { run: run!, delivery_id, recorded_attempt: run_attempt, ...learned } };
}

function indexOfLastStart(events: RecordedEvent[]): number {
  return events.findLastIndex(({ type }) => ['build_queued', 'build_retried', 'build_reopened'].includes(type));
}

function cancellationIn(events: RecordedEvent[]): Pick<BuildRecovery, 'cancelled_by'> {
  const asked = events.slice(indexOfLastStart(events)).find(({ type }) => type === 'cancel_requested');
  return asked ? { cancelled_by: String(asked.data.by) } : {};
}
