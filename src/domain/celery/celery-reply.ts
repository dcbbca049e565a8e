import type {
  CeleryResult,
  FollowUps,
  Forgone,
  MessageRefusal,
  OutgoingTask,
  PendingReply,
  Signature,
  TaskMessage,
} from '../../contracts/celery/celery.ts';
import type { TaskError } from '../../contracts/tasks/task-event.ts';
import { QUEUE_OF_BUILT_IN } from '../../contracts/tasks/task-queues.ts';
import { nameUuid } from '../name-uuid.ts';
import { builtInTaskOf } from '../tasks/task-request.ts';
import { excessWithResult } from './celery-budget.ts';
import { followUps, forgone, type RouteOf, taskOfHapax } from './celery-follow-ups.ts';
import { celeryResult, exceptionOf, exceptionOfRefusal, type Outcome, REVOKED } from './celery-result.ts';
import { asCelery } from './celery-signature.ts';
import { CALL_ERROR_LINKS_TASK, TASKS_OF_HAPAX_WORKER } from './celery-tasks.ts';

/** The end of a task. */
export type TaskEnding = Pick<Outcome, 'task_id' | 'ended_at' | 'end'>;

/** Returns the reply that the sender of a message waits for until its task has ended. */
export function pendingReplyFor(message: TaskMessage): PendingReply {
  const { ignore_result, group_id, group_index, root_id, parent_id, follow_ups, chord } = message;
  return {
    ...{ reply_to: message.reply_to ?? '', ignore_result, group_id, root_id, parent_id, follow_ups },
    ...(chord && group_id !== null && { chord: { group_id, index: group_index, body: chord } }),
  };
}

/** Says whether other tasks follow a task. */
export function hasFollowUps({ callbacks, errbacks, chain }: FollowUps): boolean {
  return callbacks.length + errbacks.length + chain.length > 0;
}

/** Celery's default queue, for tasks whose producer names none. */
const DEFAULT_QUEUE = 'celery';

/** The tasks to publish once a task has ended, for one of the messages that asked for it. */
export interface Following {
  tasks: OutgoingTask[];
  /** Set if they would be too much; `tasks` is then empty. */
  refusal?: MessageRefusal;
}

/** A function that returns the queue of a task, if its type is known. */
export type QueueOf = (task: string) => string | undefined;

/** Returns the queue of a built-in task. */
const queueOfBuiltIn: QueueOf = (task) => {
  const name = builtInTaskOf(task);
  return name && QUEUE_OF_BUILT_IN[name];
};

/**
 * Returns a function that names the queue of a task whose signature names none. Tasks that only Celery can do go to a queue where
 * such a worker is known.
 */
export function routeFor({ celery_queue }: PendingReply, queueOf: QueueOf): RouteOf {
  return (task) => (TASKS_OF_HAPAX_WORKER.has(task) ? (celery_queue ?? queueOf(task)) : queueOf(task)) ?? DEFAULT_QUEUE;
}

/** Returns the tasks to publish once a task has ended. They may be too much only now, since each takes the result. */
export function whatFollows(
  pending: PendingReply,
  { task_id, ended_at, end }: TaskEnding,
  queueOf: QueueOf = queueOfBuiltIn,
): Following {
  const succeeded = end.status === 'SUCCESS';
  const result = end.status === 'SUCCESS' ? end.result : null;
  const { root_id } = pending;
  // Celery calls no error links of a task that was revoked or has expired.
  const follow_ups = end.status === 'REVOKED' ? { ...pending.follow_ups, errbacks: [] } : pending.follow_ups;
  const ended = { task_id, root_id, follow_ups, succeeded, result, ended_at };
  const tasks = followUps(ended, routeFor(pending, queueOf));
  const detail = excessWithResult(tasks);
  return detail === undefined ? { tasks } : { tasks: [], refusal: { code: 'too_large', detail } };
}

/** A result, and the queue where its client waits for it, if there is one. */
export interface Reply {
  reply_to: string;
  result: CeleryResult;
}

/**
 * Returns the replies to the sender of a message about the end of its task. If the task did not succeed, the later steps of its chain
 * end in the same way, as in Celery: a client waits for the last one. If too much would follow the task, the tasks that follow fail.
 */
export function repliesAbout(pending: PendingReply, ending: TaskEnding): Reply[] {
  const { reply_to, ignore_result, group_id, parent_id } = pending;
  const { tasks } = whatFollows(pending, ending);
  const children = tasks.map(({ task_id }) => task_id);
  const own = { reply_to, result: celeryResult({ ...ending, group_id, parent_id, children }) };
  const { tasks: never, end } = forgoneAfter(pending, ending);
  const replies = repliesAboutForgone(never, { ended_at: ending.ended_at, end });
  return ignore_result ? replies : [own, ...replies];
}

/** Tasks that never come, and how they end instead. */
export interface NeverComing {
  tasks: Forgone[];
  end: TaskEnding['end'];
}

/** Returns the tasks that never come after this end, because it was no success or because they would be too much. */
export function forgoneAfter(pending: PendingReply, ending: TaskEnding): NeverComing {
  const { callbacks, chain } = pending.follow_ups;
  const { refusal } = whatFollows(pending, ending);
  if (refusal) {
    const end = { status: 'FAILURE', exception: exceptionOfRefusal(refusal, '') } as const;
    return { tasks: forgone([...callbacks, ...chain]), end };
  }
  return { tasks: ending.end.status === 'SUCCESS' ? [] : forgone(chain), end: ending.end };
}

/** Returns the replies that say that tasks never come, and why. */
export function repliesAboutForgone(tasks: Forgone[], { ended_at, end }: Omit<TaskEnding, 'task_id'>): Reply[] {
  return tasks.map(({ task_id, reply_to, group_id }) => ({
    reply_to: reply_to ?? '',
    result: celeryResult({ task_id, ended_at, group_id, parent_id: null, children: [], end }),
  }));
}

/**
 * Returns the tasks to publish for the error links of a refused message. For a task in Python, Celery itself calls them, with the
 * exception. They have ids of their own, so publishing twice starts nothing twice.
 */
export function errorLinksOfRefused(
  errbacks: Signature[],
  pending: PendingReply,
  ending: TaskEnding,
  queueOf: QueueOf,
): OutgoingTask[] {
  const { task_id, end } = ending;
  if (errbacks.length === 0 || end.status === 'SUCCESS') return [];
  const none = { callbacks: [], errbacks: [], chain: [] };
  if (pending.celery_queue === undefined) {
    return whatFollows({ ...pending, follow_ups: { ...none, errbacks } }, ending, queueOf).tasks;
  }
  const kwargs = { task_id, errbacks: errbacks.map(asCelery), exception: end.exception };
  const call = taskOfHapax(CALL_ERROR_LINKS_TASK, kwargs, nameUuid(`refused ${task_id}`));
  const follows = { ...ending, end: { status: 'SUCCESS', result: null } } as const;
  return whatFollows({ ...pending, follow_ups: { ...none, callbacks: [call] } }, follows, queueOf).tasks;
}

/** Returns how a task ended, from the event that ended it. */
export function endOf(event: { type: string; data: Record<string, unknown> }): Outcome['end'] {
  switch (event.type) {
    case 'task_succeeded':
      return { status: 'SUCCESS', result: event.data.result };
    case 'task_failed': {
      const error = event.data.error as TaskError;
      return { status: 'FAILURE', exception: exceptionOf(error), traceback: error.traceback };
    }
    case 'task_revoked':
      return { status: 'REVOKED', exception: { ...REVOKED, exc_message: [event.data.reason] } };
    default:
      throw new TypeError(`${event.type} ends no task`);
  }
}
