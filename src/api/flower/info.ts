import { celeryNameOf } from '../../domain/celery/task-names.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { exceptionRepr, pythonRepr } from './python.ts';

/** Returns seconds since 1970, Flower's form of times. */
function epoch(instant: string | null): number | null {
  return instant === null ? null : Date.parse(instant) / 1_000;
}

/** Returns the state that workers' events give a task. In them, RECEIVED is a state. */
export function eventStateOf({ status, received_at }: Task): string {
  return status === 'PENDING' && received_at !== null ? 'RECEIVED' : status;
}

/** Returns what Flower shows of a task: 31 members in its order, with times in seconds and values as Python shows them. */
export function infoOf(task: Task) {
  const { id, status, error, worker } = task;
  const endedAs = (state: Task['status']) => (status === state ? epoch(task.completed_at) : null);
  const started = epoch(task.started_at);
  const succeeded = endedAs('SUCCESS');
  const happened = [task.created_at, task.received_at, task.started_at, task.retried_at, task.completed_at];
  const erased = task.erased_at === null ? undefined : `erased on ${task.erased_at.slice(0, 10)}`;
  const timestamp = Math.max(...happened.map((instant) => epoch(instant) ?? 0));
  return {
    uuid: id,
    name: celeryNameOf(task.name),
    state: eventStateOf(task),
    received: epoch(task.received_at),
    sent: null,
    started,
    rejected: null,
    succeeded,
    failed: endedAs('FAILURE'),
    retried: epoch(task.retried_at),
    revoked: endedAs('REVOKED'),
    args: erased ?? pythonRepr(task.args),
    kwargs: erased ?? pythonRepr(task.kwargs),
    eta: task.eta,
    expires: task.expires,
    retries: task.retries,
    worker,
    result: status === 'SUCCESS' ? (erased ?? pythonRepr(task.result)) : null,
    exception: error && exceptionRepr(error),
    timestamp,
    runtime: succeeded !== null && started !== null ? Math.max(0, succeeded - started) : null,
    traceback: error?.traceback ?? null,
    exchange: null,
    routing_key: null,
    // Celery orders events by a logical clock. Here their times do it.
    clock: Math.round(timestamp * 1_000),
    client: null,
    root: task.root_id ?? id,
    root_id: task.root_id ?? id,
    parent: task.parent_id,
    parent_id: task.parent_id,
    children: [],
  };
}

/** Returns the same for lists, which have the worker last. */
export function listedInfoOf(task: Task) {
  const { worker, ...info } = infoOf(task);
  return { ...info, worker };
}

/** Returns what `/api/task/result` shows of a task. */
export function resultOf(task: Task) {
  const { id, status, error, progress } = task;
  const known = { 'task-id': id, state: status };
  switch (status) {
    case 'SUCCESS':
      return { ...known, result: task.result };
    case 'FAILURE':
      return { ...known, result: error ? exceptionRepr(error) : null, traceback: error?.traceback ?? null };
    case 'REVOKED':
      return { ...known, result: exceptionRepr({ type: 'TaskRevokedError', message: task.reason ?? 'revoked' }) };
    case 'PENDING':
    case 'RETRY':
      return known;
    case 'STARTED':
      return progress ? { ...known, state: progress.state } : known;
    default:
      return status satisfies never;
  }
}
