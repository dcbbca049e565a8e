import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { TaskEvent } from '../../contracts/tasks/task-event.ts';
import type { Phase } from '../builds/build-phases.ts';

const OPEN = Number.POSITIVE_INFINITY;

/**
 * Divides the life of a task into phases, by its events: how long it waited, for what, and how long its attempts ran. The time
 * between an end and a redrive belongs to no phase.
 * @param now when the last phase ends, if the task goes on; milliseconds since 1970.
 */
export function phasesOfTask(events: readonly RecordedEvent[], now: number): Phase[] {
  const phases: Phase[] = [];
  for (const recorded of events) {
    // The record holds only such events: the schema checked them when they were appended.
    const begun = phaseAfter(recorded as unknown as TaskEvent);
    if (begun === 'the same') continue;
    const from = Date.parse(recorded.occurred_at);
    const last = phases.at(-1);
    if (last && last.to === OPEN) last.to = Math.max(last.from, from);
    if (begun !== 'none') phases.push({ ...begun, from, to: OPEN });
  }
  return phases.map((phase) => (phase.to === OPEN ? { ...phase, to: Math.max(phase.from, now) } : phase));
}

/** Returns the phase that an event begins, if it begins one. */
function phaseAfter(event: TaskEvent): Pick<Phase, 'kind' | 'what'> | 'the same' | 'none' {
  switch (event.type) {
    case 'task_queued':
      return { kind: 'waiting', what: event.data.eta === null ? 'waits for a worker' : 'waits for its time' };
    case 'task_redriven':
      return { kind: 'waiting', what: 'waits for a worker' };
    case 'task_started':
      return { kind: 'running', what: `try ${event.data.attempt} runs` };
    case 'task_retried':
      return { kind: 'waiting', what: event.data.counted ? 'waits for the next try' : 'waits for what it needs' };
    case 'task_succeeded':
    case 'task_failed':
    case 'task_revoked':
      return 'none';
    case 'task_received':
    case 'task_progressed':
    case 'task_dead_lettered':
    case 'dead_letter_discarded':
    case 'task_recovered':
    case 'task_erased':
    case 'callback_delivered':
    case 'callback_failed':
      return 'the same';
    default:
      return event satisfies never;
  }
}
