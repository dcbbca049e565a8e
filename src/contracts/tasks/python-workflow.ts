import type { TaskError } from './task-event.ts';

/**
 * The messages between the workflow of a task and a worker in Python, all of them JSON. The Python package defines its side in
 * `workers/python/src/hapax_worker/protocol.py`.
 */
export const PYTHON_PROTOCOL_VERSION = 1 as const;

interface Versioned {
  version: typeof PYTHON_PROTOCOL_VERSION;
}

/** Name of the update that a worker sends before it runs anything. */
export const BEGIN_UPDATE = 'begin';
export interface AttemptBegins extends Versioned {
  attempt: number;
  /** How often Temporal has handed out this attempt, from 1. */
  nth: number;
  worker: string;
}
/** The result of that update, once the start is recorded. */
export interface AttemptBegun extends Versioned {
  /** `expired`: the task may no longer start, and nothing was recorded. */
  verdict: 'run' | 'expired';
  /** How often this attempt has started, including this time. */
  starts: number;
}

/** Name of the signal with which a running task reports progress. The worker limits how often it is sent. */
export const PROGRESS_SIGNAL = 'progress';
export interface ProgressReport extends Versioned {
  attempt: number;
  progress: TaskProgress;
}

/** A state of the task's own, as Celery's `update_state` sets it. */
export interface TaskProgress {
  state: string;
  meta: unknown;
}

/** The work of an attempt: at first as requested, and after a retry as that retry requested it. */
export interface PythonWork {
  name: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  queue: string;
  /** How often it was retried, as the task itself counts. */
  retries: number;
  /** The requested limit in milliseconds; null if the limits of the task or the app apply. */
  soft_limit_ms: number | null;
  hard_limit_ms: number | null;
  /** Other headers of its message: those of the sender, stamps, the group. */
  headers?: Record<string, unknown>;
  /** Error links and a chord; also further callbacks if the task replaced itself. */
  embed?: Record<string, unknown>;
}

/** Input of the activity `runTask` on a worker in Python. */
export interface PythonRunRequest extends PythonWork, Versioned {
  task_id: string;
  /** The number of this attempt, from 1. A redrive starts at 1 again. */
  attempt: number;
  priority: number | null;
  root_id: string | null;
  parent_id: string | null;
  reply_to: string | null;
  /** Set if the record counts the chord that the task is a member of, and the app's result back end does not. */
  chord_counted?: true;
  /** Set if a task that Hapax publishes takes its result, so that it is needed even if nobody else wants it. */
  result_passed_on?: true;
}

/** Name of the signal that tells a task what replaces it, if it replaced itself with more than one task. */
export const REPLACEMENT_SIGNAL = 'replacement';
export interface Replacement {
  /** How often the task was replaced, including this time: Celery's count. */
  nesting: number;
  /** Its next attempt, or how it ends because there is no next attempt. */
  becomes:
    | { kind: 'work'; work: PythonWork; eta: string | null }
    | { kind: 'failed'; error: TaskError }
    | { kind: 'revoked' };
}

/** The outcome of an attempt. The activity fails only if another worker has to repeat it. */
export type PythonOutcome = Versioned &
  (
    | { kind: 'succeeded'; result: unknown }
    /** The task asked to record no result. Hapax still records its end. */
    | { kind: 'ignored'; result: unknown }
    | { kind: 'failed'; error: TaskError }
    /** `next`: the work of the next attempt; null if it does not change. */
    | { kind: 'retry'; error: TaskError; after_ms: number; counted: boolean; next: PythonWork | null }
    /**
     * The task was replaced by a chain, a group or a chord, whose last task has its id. The message that requests that task is the next
     * attempt.
     */
    | { kind: 'replaced'; error: TaskError }
    | { kind: 'revoked' }
    | { kind: 'expired' }
  );
