import type { ChordPart, MessageRefusal, OutgoingTask } from '../../contracts/celery/celery.ts';
import type { QueueOf, Reply, TaskEnding } from '../../domain/celery/celery-reply.ts';
import { deadLetterPublication, replyPublication, taskPublication } from './celery-publication.ts';
import { type Publication, type RabbitMq, Unroutable, Unwritable } from './rabbitmq.ts';
import type { ResultStore } from './result-store.ts';

/** Queue of messages that did not become tasks, and of tasks that no queue accepts. */
export const DEAD_LETTER_QUEUE = 'hapax.dead-letter';

/** The ways to tell the senders of messages how their tasks ended. */
export interface ReplyWays {
  rabbit: Pick<RabbitMq, 'publish'>;
  /** Not set if the clients' result back end is not Redis. */
  results: ResultStore | undefined;
  /** Returns the queue of a task whose signature names none. */
  queueOf: QueueOf;
  /** Stores how a member of a chord ended. @returns how each member that has ended did. */
  keepChordPart(groupId: string, part: ChordPart): Promise<ChordPart[]>;
  /** Forgets how the members of a chord ended. */
  deleteChordParts(groupId: string): Promise<void>;
  /** Ends the task with this id that was replaced, and waits for a task that never runs. */
  endReplaced(taskId: string, nesting: number, end: TaskEnding['end']): Promise<void>;
  /** Stores a refused message where operators look. @throws if it may succeed later. */
  keep(buried: Buried, refusal: MessageRefusal): Promise<void>;
}

/** A message for the dead letters. */
export interface Buried {
  message: Publication;
  /** The queue that it came from, or was meant for. */
  from: string;
  task_id: string | null;
  task: string | null;
}

/** How many messages wait for their confirmation at once. */
const BATCH = 100;

/** Publishes tasks that follow another one. Those that no queue accepts become dead letters. @throws {NotPublished} */
export async function publishTasks(ways: ReplyWays, tasks: OutgoingTask[]): Promise<void> {
  for (let first = 0; first < tasks.length; first += BATCH) {
    const publishing = tasks
      .slice(first, first + BATCH)
      .map((task) => publishMessage(ways, taskPublication(task), task.routing_key));
    await Promise.all(publishing);
  }
}

/** Publishes a message. If no queue accepts it or AMQP cannot carry it, it becomes a dead letter. @throws {NotPublished} */
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

/** Makes a message a dead letter: stores it where operators look, and publishes it to the queue. @throws {NotPublished} */
export async function bury(ways: ReplyWays, buried: Buried, refusal: MessageRefusal): Promise<void> {
  await ways.keep(buried, refusal);
  const { message, from } = buried;
  const burial = { from, to: DEAD_LETTER_QUEUE, at: new Date() };
  await ways.rabbit.publish(deadLetterPublication(message, refusal, burial)).catch((error: unknown) => {
    if (!(error instanceof Unwritable)) throw error;
    // Its own headers are too large to be written.
    return ways.rabbit.publish(deadLetterPublication(message, refusal, burial, {}));
  });
}

/** Publishes a result to the queue where a client waits for it. @throws {NotPublished} */
export async function publishResult(rabbit: ReplyWays['rabbit'], { reply_to, result }: Reply): Promise<void> {
  if (reply_to !== '') await rabbit.publish(replyPublication(result, reply_to));
}
