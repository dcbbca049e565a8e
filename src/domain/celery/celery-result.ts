import type { CeleryException, CeleryResult, MessageRefusal } from '../../contracts/celery/celery.ts';
import type { TaskError } from '../../contracts/tasks/task-event.ts';

/** A task that has ended, as its result describes it. */
export interface Outcome {
  task_id: string;
  /** ISO 8601. */
  ended_at: string;
  group_id: string | null;
  parent_id: string | null;
  /** Ids of the tasks that were published because of it. */
  children: string[];
  end:
    | { status: 'SUCCESS'; result: unknown }
    | { status: 'FAILURE' | 'REVOKED'; exception: CeleryException; traceback?: string | null };
}

/** The exception that a client sees if a task was stopped. */
export const REVOKED: CeleryException = {
  exc_type: 'TaskRevokedError',
  exc_message: ['revoked'],
  exc_module: 'celery.exceptions',
};

/**
 * Returns a result as Celery's worker writes it, so that a real `AsyncResult.get()` returns it or raises. A failure is always the
 * triple of type, arguments and module: with anything else, Celery's client itself fails.
 */
export function celeryResult({ task_id, ended_at, group_id, parent_id, children, end }: Outcome): CeleryResult {
  return {
    status: end.status,
    result: end.status === 'SUCCESS' ? end.result : end.exception,
    traceback: end.status === 'SUCCESS' ? null : (end.traceback ?? null),
    children: children.map((id) => [[id, null], null]),
    date_done: new Date(ended_at).toISOString().replace(/Z$/, '000+00:00'),
    ...(group_id === null ? {} : { group_id }),
    ...(parent_id === null ? {} : { parent_id }),
    task_id,
  };
}

/** Python exceptions that take a message. A client raises the real class. */
const BUILTIN: ReadonlySet<string> = new Set([
  'ArithmeticError',
  'AssertionError',
  'AttributeError',
  'ConnectionAbortedError',
  'ConnectionError',
  'ConnectionRefusedError',
  'ConnectionResetError',
  'EOFError',
  'Exception',
  'FileNotFoundError',
  'IndexError',
  'InterruptedError',
  'KeyError',
  'LookupError',
  'MemoryError',
  'NotImplementedError',
  'OSError',
  'OverflowError',
  'PermissionError',
  'RuntimeError',
  'TimeoutError',
  'TypeError',
  'ValueError',
  'ZeroDivisionError',
]);
const BILLIARD: ReadonlySet<string> = new Set(['SoftTimeLimitExceeded', 'TimeLimitExceeded', 'WorkerLostError']);

/**
 * Returns an error in the form that Celery's client takes. The client raises the real class if the module has one of this name. If it
 * does not know the module, it makes one up under celery.exceptions. So our own errors get the module `hapax`. An error of a Python
 * worker stays as it was.
 */
export function exceptionOf({ type, message, module, args }: Omit<TaskError, 'traceback'>): CeleryException {
  if (module !== undefined && args) return { exc_type: type, exc_message: args, exc_module: module };
  const exc_type = /^[A-Za-z_]\w*$/.test(type) ? type : 'Exception';
  const exc_module = BUILTIN.has(exc_type) ? 'builtins' : BILLIARD.has(exc_type) ? 'billiard.exceptions' : 'hapax';
  return { exc_type, exc_message: [message], exc_module };
}

/** Returns the exception that a client sees if its message became no task. */
export function exceptionOfRefusal({ code, detail }: MessageRefusal, task: string): CeleryException {
  switch (code) {
    case 'unknown_task':
      return { exc_type: 'NotRegistered', exc_message: [task], exc_module: 'celery.exceptions' };
    case 'unsupported_canvas':
      return exceptionOf({ type: 'NotImplementedError', message: detail });
    case 'invalid_arguments':
      return exceptionOf({ type: 'TypeError', message: detail });
    default:
      return exceptionOf({ type: 'ValueError', message: detail });
  }
}
