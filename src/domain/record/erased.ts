import type { TaskError } from '../../contracts/tasks/task-event.ts';

/** The replacement of an erased error. */
export const ERASED_ERROR: TaskError = { type: 'Erased', message: 'the error was erased', traceback: null };
/** Events that erase all earlier values of their stream. */
export const ERASURES: ReadonlySet<string> = new Set(['build_erased', 'task_erased']);

/** The replacement of an erased text. */
export const ERASED_TEXT = 'erased';

/**
 * The values of events that can be erased, by event type: the path of each value, and its replacement. These values are kept beside
 * the log. The log has a salted hash of them, so no event changes when they are erased.
 */
export const SEALED_VALUES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  build_queued: { image_type: null, fedora_version: null, 'request.inputs': {} },
  dispatch_rejected: { message: ERASED_TEXT },
  // A job's annotations quote what the run printed, inputs among it.
  build_completed: { detail: ERASED_TEXT, failed_jobs: [] },
  build_cancelled: { detail: ERASED_TEXT, failed_jobs: [] },
  build_dead_lettered: { reason: ERASED_TEXT },
  // The fingerprint is a hash without a salt: it would confirm arguments that somebody guesses.
  task_queued: { args: [], kwargs: {}, fingerprint: '' },
  task_progressed: { meta: null },
  task_retried: { error: ERASED_ERROR, args: [], kwargs: {} },
  task_succeeded: { result: null },
  task_failed: { error: ERASED_ERROR },
  task_dead_lettered: { reason: ERASED_TEXT },
  task_redriven: { args: [], kwargs: {} },
  task_recovered: { detail: ERASED_TEXT },
};
