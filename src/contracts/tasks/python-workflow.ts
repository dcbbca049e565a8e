import type { TaskError } from './task-event.ts';

/**
 * The messages between the workflow of a task and a worker in Python, all of them JSON. The package's own side of it is
 * `workers/python/src/hapax_worker/protocol.py`.
 */
export const PYTHON_PROTOCOL_VERSION = 1 as const;

interface Versioned {
  version: typeof PYTHON_PROTOCOL_VERSION;
}

/** Name of the update that a worker sends before anything runs. */
export const BEGIN_UPDATE = 'begin';
export interface AttemptBegins extends Versioned {
  attempt: number;
  /** How often Temporal has handed over this attempt, from 1. */
  nth: number;
  worker: string;
}
/** Its answer, once the beginning is on record. */
export interface AttemptBegun extends Versioned {
  /** `expired`: the task may not begin any more, and nothing was recorded. */
  verdict: 'run' | 'expired';
  /** How often this attempt has begun, with this time. */
  starts: number;
}

/** Name of the signal that tells what a running task says of itself. The worker bounds how often. */
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

/** What an attempt is about: at first what was asked for, after a retry what that one asked for. */
export interface PythonWork {
  name: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  queue: string;
  /** How often it was retried, as the task itself sees it. */
  retries: number;
  /** What was asked for, milliseconds; null where the limits of the task or the app apply. */
  soft_limit_ms: number | null;
  hard_limit_ms: number | null;
  /** Further headers of its message: those of the sender, stamps, the group. */
  headers?: Record<string, unknown>;
  /** Error links, a chord; and further callbacks where the task replaced itself. */
  embed?: Record<string, unknown>;
}

/** Input of the activity `runTask` on a worker in Python. */
export interface PythonRunRequest extends PythonWork, Versioned {
  task_id: string;
  /** The number of this attempt, from 1; a redrive counts from 1 again. */
  attempt: number;
  priority: number | null;
  root_id: string | null;
  parent_id: string | null;
  reply_to: string | null;
  /** Set where the record counts the chord that the task is a member of, and the app's back end does not. */
  chord_counted?: true;
}

/** Name of the signal that tells a task what replaces it, where it replaced itself by more than one task. */
export const REPLACEMENT_SIGNAL = 'replacement';
export interface Replacement {
  /** How often the task was replaced, with this time: Celery's count. */
  nesting: number;
  /** Its next attempt, or how it ends because that never comes. */
  becomes:
    | { kind: 'work'; work: PythonWork; eta: string | null }
    | { kind: 'failed'; error: TaskError }
    | { kind: 'revoked' };
}

/** What became of an attempt. Only what another worker has to repeat fails the activity. */
export type PythonOutcome = Versioned &
  (
    | { kind: 'succeeded'; result: unknown }
    /** The task asked that nothing be said of it; here every task ends. */
    | { kind: 'ignored'; result: unknown }
    | { kind: 'failed'; error: TaskError }
    /** `next`: what is different in the next attempt; null for nothing. */
    | { kind: 'retry'; error: TaskError; after_ms: number; counted: boolean; next: PythonWork | null }
    /** By a chain, a group or a chord, whose last task has its id: the message that asks for that one is the next attempt. */
    | { kind: 'replaced'; error: TaskError }
    | { kind: 'revoked' }
    | { kind: 'expired' }
  );
