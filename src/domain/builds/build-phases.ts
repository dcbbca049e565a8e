import type { BuildEvent, RecordedEvent } from '../../contracts/builds/event.ts';

/** What a build does at a time: it waits for something, for a person, or it works. */
export type PhaseKind = 'waiting' | 'running' | 'person';

/** A stretch of the life of a build. */
export interface Phase {
  kind: PhaseKind;
  /** What happens, in words. */
  what: string;
  /** Milliseconds since 1970. */
  from: number;
  to: number;
}

/** Statuses of GitHub in which no machine works on a run. */
const WAITING_AT_GITHUB: ReadonlySet<string> = new Set(['queued', 'waiting', 'requested', 'pending']);

/**
 * The life of a build in stretches, by its events: how long it waited, for what, and how long its run ran. What lies between an end
 * and a retry is no part of it. Stretches of the same kind that follow each other and mean the same are one.
 * @param now when the last stretch ends, if the build goes on; milliseconds since 1970.
 */
export function phasesOf(events: readonly RecordedEvent[], now: number): Phase[] {
  const phases: Phase[] = [];
  for (const recorded of events) {
    // The record holds nothing but these; the schema said so when it was appended.
    const begun = phaseAfter(recorded as unknown as BuildEvent);
    if (begun === 'the same') continue;
    const from = Date.parse(recorded.occurred_at);
    const last = phases.at(-1);
    if (last && last.to === OPEN) last.to = Math.max(last.from, from);
    if (begun === 'none') continue;
    const goesOn = last && last.to === from && last.kind === begun.kind && last.what === begun.what;
    if (goesOn) last.to = OPEN;
    else phases.push({ ...begun, from, to: OPEN });
  }
  return phases.map((phase) => (phase.to === OPEN ? { ...phase, to: Math.max(phase.from, now) } : phase));
}

const OPEN = Number.POSITIVE_INFINITY;

/** What a build does after an event. */
function phaseAfter(event: BuildEvent): Pick<Phase, 'kind' | 'what'> | 'the same' | 'none' {
  switch (event.type) {
    case 'build_queued':
    case 'build_retried':
      return { kind: 'waiting', what: 'queued in Hapax' };
    case 'build_started':
    case 'dispatch_intended':
    case 'rerun_intended':
      return { kind: 'waiting', what: 'dispatching' };
    case 'dispatch_delayed':
      return { kind: 'waiting', what: 'waits to dispatch again' };
    case 'dispatch_ambiguous':
    case 'rerun_ambiguous':
      return { kind: 'waiting', what: 'looks for its run' };
    case 'dispatch_absent':
      return { kind: 'waiting', what: 'dispatching' };
    case 'build_needs_attention':
      return { kind: 'person', what: 'waits for a person' };
    case 'workflow_triggered':
      return { kind: 'waiting', what: 'queued at GitHub' };
    case 'run_updated':
    case 'build_reopened':
      return WAITING_AT_GITHUB.has(event.data.run_status)
        ? { kind: 'waiting', what: 'queued at GitHub' }
        : { kind: 'running', what: 'runs at GitHub' };
    case 'build_completed':
    case 'build_cancelled':
      return 'none';
    case 'dispatch_rejected':
    case 'late_run_cancelled':
    case 'run_left_running':
    case 'duplicate_run_cancelled':
    case 'cancel_requested':
    case 'build_dead_lettered':
    case 'dead_letter_discarded':
    case 'build_recovered':
    case 'callback_delivered':
    case 'callback_failed':
      return 'the same';
    default:
      return event satisfies never;
  }
}

/** How long a build spent in a kind of phase, milliseconds. */
export function timeIn(phases: readonly Phase[], kind: PhaseKind): number {
  return phases.filter((phase) => phase.kind === kind).reduce((sum, { from, to }) => sum + to - from, 0);
}
