import type { BuildEvent, RecordedEvent } from '../../contracts/builds/event.ts';

/** A kind of phase: the build waits for something, works, or waits for a person. */
export type PhaseKind = 'waiting' | 'running' | 'person';

/** A phase in the life of a build. */
export interface Phase {
  kind: PhaseKind;
  /** Description for people. */
  what: string;
  /** Milliseconds since 1970. */
  from: number;
  to: number;
}

/** GitHub's statuses of runs that no machine is working on. */
const WAITING_AT_GITHUB: ReadonlySet<string> = new Set(['queued', 'waiting', 'requested', 'pending']);

/**
 * Divides the life of a build into phases, by its events: how long it waited, for what, and how long its run ran. The time between an
 * end and a retry belongs to no phase. Consecutive phases with the same kind and description become one.
 * @param now when the last phase ends, if the build goes on; milliseconds since 1970.
 */
export function phasesOf(events: readonly RecordedEvent[], now: number): Phase[] {
  const phases: Phase[] = [];
  for (const recorded of events) {
    // The record holds only such events: the schema checked them when they were appended.
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

/** Returns the phase that an event begins, if it begins one. */
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
    case 'dispatch_withheld':
      return { kind: 'waiting', what: 'waits for the run of another program' };
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
    case 'run_doubled':
    case 'duplicate_run_cancelled':
    case 'cancel_requested':
    case 'build_dead_lettered':
    case 'dead_letter_discarded':
    case 'build_recovered':
    case 'build_erased':
    case 'callback_delivered':
    case 'callback_failed':
    case 'artifacts_recorded':
      return 'the same';
    default:
      return event satisfies never;
  }
}

/** Returns how long a build spent in phases of a kind, in milliseconds. */
export function timeIn(phases: readonly Phase[], kind: PhaseKind): number {
  return phases.filter((phase) => phase.kind === kind).reduce((sum, { from, to }) => sum + to - from, 0);
}
