import type { TaskProgress } from '../../contracts/tasks/python-workflow.ts';
import type { TaskStatus } from '../../contracts/tasks/task.ts';
import type { TaskError, TaskEvent } from '../../contracts/tasks/task-event.ts';
import { ERASED_ERROR, ERASED_TEXT } from '../record/erased.ts';
import { IllegalEvent } from '../record/illegal-event.ts';

type Queued = Extract<TaskEvent, { type: 'task_queued' }>;

/** The current state of a task: the sum of its events. */
export interface Task extends Omit<Queued['data'], 'task_id' | 'epoch' | 'type_version'> {
  id: string;
  /** The version of its type when it was accepted; null for built-in tasks. */
  type_version: string | null;
  status: TaskStatus;
  /** Attempts that started, over all redrives. */
  attempts: number;
  /** How many times it was retried after a failure, in this redrive. */
  retries: number;
  /** How many times it was redriven. */
  redrives: number;
  /** The worker that ran it last. */
  worker: string | null;
  result: unknown;
  error: TaskError | null;
  /** Its last report of progress, while it runs. */
  progress: TaskProgress | null;
  dead_lettered: boolean;
  /** The reason why it is a dead letter or was revoked. */
  reason: string | null;
  created_at: string;
  received_at: string | null;
  /** When its last attempt started. */
  started_at: string | null;
  /** When an attempt last failed with another to follow. */
  retried_at: string | null;
  completed_at: string | null;
  /** When its arguments, results and errors were erased; null if they were not. */
  erased_at: string | null;
}

/** Events that may still be recorded after the end. */
const AFTER_THE_END: ReadonlySet<TaskEvent['type']> = new Set([
  'task_dead_lettered',
  'dead_letter_discarded',
  'task_redriven',
  'task_recovered',
  'callback_delivered',
  'callback_failed',
  'task_erased',
]);

/**
 * Returns the state after an event. Replaying all events of a stream through this gives its projection.
 * @throws {IllegalEvent} if the event cannot follow the state.
 */
export function evolveTask(task: Task | undefined, event: TaskEvent): Task {
  if (event.type === 'task_queued') {
    if (task) throw new IllegalEvent(`task ${task.id} is queued already`);
    return queued(event);
  }
  if (!task) throw new IllegalEvent(`${event.type} cannot be the first event of a task`);
  const isOver = task.completed_at !== null;
  if (isOver && !AFTER_THE_END.has(event.type)) {
    throw new IllegalEvent(`task ${task.id} has ended (${task.status}); ${event.type} cannot follow`);
  }
  const { occurred_at } = event;
  switch (event.type) {
    case 'callback_delivered':
    case 'callback_failed':
      return task;
    case 'task_received':
      return { ...task, received_at: occurred_at };
    case 'task_started': {
      const attempts = task.attempts + 1;
      const { worker } = event.data;
      return { ...task, status: 'STARTED', attempts, worker, progress: null, started_at: occurred_at };
    }
    case 'task_progressed': {
      const { state, meta } = event.data;
      return { ...task, progress: { state, meta } };
    }
    case 'task_retried': {
      const { counted, error, args = task.args, kwargs = task.kwargs } = event.data;
      const retries = task.retries + (counted ? 1 : 0);
      return { ...task, args, kwargs, status: 'RETRY', retries, error, progress: null, retried_at: occurred_at };
    }
    case 'task_succeeded':
      return { ...ended(task, occurred_at), status: 'SUCCESS', result: event.data.result, error: null };
    case 'task_failed':
      return { ...ended(task, occurred_at), status: 'FAILURE', error: event.data.error };
    case 'task_revoked': {
      const { reason } = event.data;
      return { ...ended(task, occurred_at), status: 'REVOKED', error: null, reason };
    }
    case 'task_dead_lettered':
      return { ...task, dead_lettered: true, reason: event.data.reason };
    case 'dead_letter_discarded':
      return { ...task, dead_lettered: false, reason: null };
    case 'task_redriven':
      return redriven(task, event.data);
    case 'task_recovered':
      // If the record lost the end before a redrive, that end counts as a failure: only what ended is redriven.
      return event.data.ended_before ? { ...task, status: 'FAILURE', completed_at: occurred_at } : task;
    case 'task_erased':
      return erased(task, occurred_at);
    default:
      return event satisfies never;
  }
}

function ended(task: Task, completed_at: string): Task {
  return { ...task, progress: null, completed_at };
}

/** Returns the state that the events give once their values are erased. */
function erased(task: Task, erased_at: string): Task {
  if (task.completed_at === null) throw new IllegalEvent(`task ${task.id} has not ended and cannot be erased`);
  return {
    ...task,
    args: [],
    kwargs: {},
    fingerprint: '',
    result: null,
    error: task.error && ERASED_ERROR,
    reason: task.dead_lettered ? ERASED_TEXT : task.reason,
    erased_at,
  };
}

function redriven(task: Task, data: Extract<TaskEvent, { type: 'task_redriven' }>['data']): Task {
  const { redrive, args, kwargs, soft_limit_ms, hard_limit_ms } = data;
  if (task.status !== 'FAILURE' && task.status !== 'REVOKED') {
    throw new IllegalEvent(`task ${task.id} is ${task.status}; only what failed or was revoked is begun again`);
  }
  if (task.erased_at !== null) throw new IllegalEvent(`task ${task.id} was erased and cannot be begun again`);
  const forgotten = { error: null, reason: null, received_at: null, started_at: null, retried_at: null };
  return {
    ...task,
    ...forgotten,
    args,
    kwargs,
    soft_limit_ms,
    hard_limit_ms,
    status: 'PENDING',
    retries: 0,
    redrives: redrive,
    dead_lettered: false,
    completed_at: null,
  };
}

function queued({ data: { task_id, epoch: _, type_version, ...known }, occurred_at }: Queued): Task {
  return {
    ...known,
    type_version: type_version ?? null,
    id: task_id,
    status: 'PENDING',
    attempts: 0,
    retries: 0,
    redrives: 0,
    worker: null,
    result: null,
    error: null,
    progress: null,
    dead_lettered: false,
    reason: null,
    created_at: occurred_at,
    received_at: null,
    started_at: null,
    retried_at: null,
    completed_at: null,
    erased_at: null,
  };
}
