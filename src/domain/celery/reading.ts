import { LIMITS } from '../../contracts/budgets.ts';
import type {
  Delivery,
  Forgone,
  MessageRefusal,
  PendingReply,
  Signature,
  TaskMessage,
} from '../../contracts/celery/celery.ts';
import type { TaskRequest } from '../tasks/task-request.ts';
import { forgone } from './celery-follow-ups.ts';
import { followersOf, idOf, readTaskMessage } from './celery-message.ts';
import { type NeverComing, pendingReplyFor, type Reply, repliesAboutForgone } from './celery-reply.ts';
import { exceptionOfRefusal } from './celery-result.ts';
import { findCanvas } from './celery-signature.ts';
import { bodyText } from './message-body.ts';
import { Refused } from './refused.ts';

/** A message that asks for a task, and what its sender gets once the task has ended. */
export interface TaskReading {
  task: TaskRequest;
  pendingReplies: PendingReply;
  /** The same, if it runs in Python: the worker understands everything that Celery wrote, and calls error links itself. */
  inPython: Pick<TaskReading, 'task' | 'pendingReplies'>;
  /** The reason why it can run only beside a Celery worker, which unfolds what follows it. */
  onlyBesideCelery?: MessageRefusal;
  /** How often the task that had its id before was replaced; 0 if it replaces none. */
  replaces: number;
}

/** A message that becomes no task, and the replies to its sender. */
export interface RefusedReading {
  refusal: MessageRefusal;
  /** Id and name of the task, as far as the message can be understood. */
  task_id: string | null;
  name: string | null;
  replies: Reply[];
  /** The error links to call: Celery itself would begin a task whose arguments do not fit, and it would fail. */
  errbacks: Signature[];
  /** The tasks that never come because of it. Chords and replaced tasks may wait for them. */
  never: NeverComing;
  /** When it was refused, ISO 8601. */
  refused_at: string;
}

/** AMQP's priorities go to 255, ours to 9. */
const HIGHEST_PRIORITY = 9;

/** The caller of the tasks of messages, which RabbitMQ let in. */
export const AMQP_CALLER = 'amqp';

/**
 * Reads what a message asks for. The commands decide whether there is such a task, and whether its arguments fit. What they refuse
 * goes to {@link refuse}.
 * @param now the time of the replies to a refused message.
 */
export function read(delivery: Delivery, now: Date): TaskReading | RefusedReading {
  try {
    const message = readTaskMessage(delivery, bodyText(delivery));
    const task = taskIn(message);
    const pendingReplies = pendingReplyFor(message);
    const { callbacks, errbacks, chain } = message.follow_ups;
    const canvas = findCanvas([...callbacks, ...errbacks, ...chain, ...(message.chord ? [message.chord] : [])]);
    return {
      ...{
        task,
        pendingReplies,
        replaces: message.replaces,
        inPython: inPython(delivery, message, task, pendingReplies),
      },
      ...(canvas && { onlyBesideCelery: refusalOfCanvas(canvas) }),
    };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refuse(delivery, error.refusal, now);
  }
}

/**
 * Returns the replies to the sender of a refused message: about its task, and about those that were to follow it.
 * @param now the time of the replies.
 */
export function refuse(delivery: Delivery, refusal: MessageRefusal, now: Date): RefusedReading {
  const text = textOf(delivery);
  const task_id = idOf(delivery, text);
  const { task, replaced_task_nesting: nesting } = delivery.headers;
  const name = typeof task === 'string' ? task : null;
  const exception = exceptionOfRefusal(refusal, name ?? refusal.detail);
  const replaces = typeof nesting === 'number' ? nesting : null;
  // The other task of this id has, or will have, a result of its own.
  const own = task_id === null || refusal.code === 'task_id_reused' ? [] : [task_id];
  const { chain, errbacks, chord } = followersOf(delivery, text);
  const group_id = chord?.group_id ?? null;
  // A chord counts the task as a member that failed. If it cannot, or if all its members are refused alike, its body never comes.
  const isCounted = own.length > 0 && group_id !== null && refusal.code !== 'unsupported_canvas';
  const counts = chord && isCounted ? { ...chord, group_id } : null;
  const unanswered = own.map((id) => ({
    ...{ task_id: id, reply_to: delivery.reply_to, group_id, chord: counts, replaces },
  }));
  const later = chord && !isCounted ? [...chain, chord.body] : chain;
  const tasks = [...unanswered, ...later.flatMap(readableForgone)];
  const refused_at = now.toISOString();
  const end = { status: 'FAILURE', exception } as const;
  const replies = repliesAboutForgone(tasks, { ended_at: refused_at, end });
  const links = refusal.code === 'invalid_arguments' ? errbacks : [];
  return { refusal, task_id, name, replies, errbacks: links, never: { tasks, end }, refused_at };
}

/** Returns the tasks of a step that never come. A step may be the reason of the refusal: then nobody can know its tasks. */
function readableForgone(step: Signature): Forgone[] {
  try {
    return forgone([step]);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return [];
  }
}

function taskIn(message: TaskMessage): TaskRequest {
  const { task_id, task, args, kwargs, priority, root_id, parent_id, eta, expires } = message;
  return {
    name: task,
    args,
    kwargs,
    taskId: task_id ?? undefined,
    priority: priority === null ? undefined : Math.min(priority, HIGHEST_PRIORITY),
    eta: eta === null ? undefined : new Date(eta),
    expires: expires === null ? undefined : new Date(expires),
    softLimitMs: limitMs(message.soft_time_limit_s),
    hardLimitMs: limitMs(message.time_limit_s),
    rootId: root_id ?? undefined,
    parentId: parent_id ?? undefined,
    caller: AMQP_CALLER,
    source: 'amqp',
  };
}

function inPython(
  { queue, reply_to }: Delivery,
  { as_sent }: TaskMessage,
  task: TaskRequest,
  pendingReplies: PendingReply,
): TaskReading['inPython'] {
  const { args, kwargs, headers, errbacks, chord } = as_sent;
  const embed = { ...(errbacks.length > 0 && { errbacks }), ...(chord !== null && { chord }) };
  const follow_ups = { ...pendingReplies.follow_ups, errbacks: [] };
  return {
    task: { ...task, queue, args, kwargs, message: { headers, reply_to, embed } },
    pendingReplies: { ...pendingReplies, follow_ups, celery_queue: queue },
  };
}

function refusalOfCanvas({ task, subtask_type }: Signature): MessageRefusal {
  const detail = `${task}: a ${subtask_type} can follow a task only where a hapax-worker runs; use a chain or a group`;
  return { code: 'unsupported_canvas', detail };
}

function limitMs(seconds: number | null): number | undefined {
  if (seconds === null) return undefined;
  if (seconds <= LIMITS.tasks.limitSeconds) return seconds * 1_000;
  throw new Refused('invalid_arguments', `timelimit: ${seconds} s is more than ${LIMITS.tasks.limitSeconds} s`);
}

/** Returns the text of a message's body; undefined if it cannot be read. */
function textOf(delivery: Delivery): string | undefined {
  try {
    return bodyText(delivery);
  } catch {
    return undefined;
  }
}
