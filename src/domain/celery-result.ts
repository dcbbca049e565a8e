import type { CeleryException, CeleryResult } from '../contracts/celery.ts';

/** A task that has ended, as its result is told. */
export interface Outcome {
  task_id: string;
  /** ISO 8601. */
  ended_at: string;
  group_id: string | null;
  parent_id: string | null;
  /** Ids of the tasks that were published because of it. */
  children: string[];
  end: { status: 'SUCCESS'; result: unknown } | { status: 'FAILURE' | 'REVOKED'; exception: CeleryException };
}

/** What a client sees of a task that was stopped. */
export const REVOKED: CeleryException = {
  exc_type: 'TaskRevokedError',
  exc_message: ['revoked'],
  exc_module: 'celery.exceptions',
};

/**
 * A result as Celery's worker writes it, so that a real `AsyncResult.get()` returns it or raises. A failure is always the triple of
 * type, arguments and module: with anything else Celery's client itself fails.
 */
export function celeryResult({ task_id, ended_at, group_id, parent_id, children, end }: Outcome): CeleryResult {
  return {
    status: end.status,
    result: end.status === 'SUCCESS' ? end.result : end.exception,
    traceback: null,
    children: children.map((id) => [[id, null], null]),
    date_done: new Date(ended_at).toISOString().replace(/Z$/, '000+00:00'),
    ...(group_id === null ? {} : { group_id }),
    ...(parent_id === null ? {} : { parent_id }),
    task_id,
  };
}
