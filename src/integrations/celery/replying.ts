import type { MessageRefusal, OutgoingTask, PendingReply } from '../../contracts/celery/celery.ts';
import {
  type QueueOf,
  type Reply,
  repliesAbout,
  type TaskEnding,
  whatFollows,
} from '../../domain/celery/celery-reply.ts';
import {
  deadLetterPublication,
  followUpsPublication,
  replyPublication,
  taskPublication,
} from './celery-publication.ts';
import { type Publication, type RabbitMq, Unroutable, Unwritable } from './rabbitmq.ts';
import type { ResultStore } from './result-store.ts';

/** Messages that became no task, and tasks that no queue takes. */
export const DEAD_LETTER_QUEUE = 'hapax.dead-letter';

/** The ways on which senders of messages learn how their tasks ended. */
export interface ReplyWays {
  rabbit: Pick<RabbitMq, 'publish'>;
  /** Unset: the clients' result back end is not Redis. */
  results: ResultStore | undefined;
  /** Where a task goes whose signature names no queue. */
  queueOf: QueueOf;
  /** Keeps a refused message where operators look. @throws where it may succeed later. */
  keep(buried: Buried, refusal: MessageRefusal): Promise<void>;
}

/** A message that goes to the dead letters. */
export interface Buried {
  message: Publication;
  /** The queue that it came from, or was for. */
  from: string;
  task_id: string | null;
  task: string | null;
}

/** Messages that wait for their confirmation at once. */
const BATCH = 100;

/** Publishes what follows a task and then its result, as Celery's worker does, to one who asked for it. @throws {NotPublished} */
export async function publishReply(ways: ReplyWays, pending: PendingReply, ending: TaskEnding): Promise<void> {
  const { tasks, refusal } = whatFollows(pending, ending, ways.queueOf);
  if (refusal) {
    const message = followUpsPublication(ending.task_id, pending.follow_ups);
    await bury(ways, { message, from: 'celery', task_id: ending.task_id, task: null }, refusal);
  }
  for (let first = 0; first < tasks.length; first += BATCH) {
    await Promise.all(tasks.slice(first, first + BATCH).map((task) => publishTask(ways, task)));
  }
  for (const told of repliesAbout(pending, ending)) await publishResult(ways.rabbit, told);
}

function publishTask(ways: ReplyWays, task: OutgoingTask): Promise<void> {
  return publishMessage(ways, taskPublication(task), task.routing_key);
}

/** Publishes a message; one that no queue takes, or that AMQP cannot carry, goes to the dead letters. @throws {NotPublished} */
export async function publishMessage(ways: ReplyWays, message: Publication, from: string): Promise<void> {
  await ways.rabbit.publish(message).catch((error: unknown) => {
    if (!(error instanceof Unroutable || error instanceof Unwritable)) throw error;
    const { id, task } = message.headers ?? {};
    const about = { task_id: textOr(id, message.correlation_id), task: textOr(task) };
    return bury(ways, { message, from, ...about }, { code: 'unroutable', detail: error.message });
  });
}

function textOr(value: unknown, otherwise?: string): string | null {
  return typeof value === 'string' ? value : (otherwise ?? null);
}

/** Puts a message among the dead letters: where operators look, and into the queue. @throws {NotPublished} */
export async function bury(ways: ReplyWays, buried: Buried, refusal: MessageRefusal): Promise<void> {
  await ways.keep(buried, refusal);
  const { message, from } = buried;
  const burial = { from, to: DEAD_LETTER_QUEUE, at: new Date() };
  await ways.rabbit.publish(deadLetterPublication(message, refusal, burial)).catch((error: unknown) => {
    if (!(error instanceof Unwritable)) throw error;
    // Its own headers are larger than can be written.
    return ways.rabbit.publish(deadLetterPublication(message, refusal, burial, {}));
  });
}

/** Publishes a result where a client waits for it. @throws {NotPublished} */
export async function publishResult(rabbit: ReplyWays['rabbit'], { reply_to, result }: Reply): Promise<void> {
  if (reply_to !== '') await rabbit.publish(replyPublication(result, reply_to));
}

/** Keeps the result of a task where clients look for it. @throws while Redis is away. */
export async function storeReply({ results }: ReplyWays, pending: PendingReply, ending: TaskEnding): Promise<void> {
  for (const { result } of repliesAbout(pending, ending)) await results?.store(result);
}
