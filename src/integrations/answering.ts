import type { OutgoingTask, Owed, Refusal } from '../contracts/celery.ts';
import { type TaskEnding, type Told, whatFollows, whatIsTold } from '../domain/celery-answer.ts';
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
export interface AnswerWays {
  rabbit: Pick<RabbitMq, 'publish'>;
  /** Unset: the clients' result back end is not Redis. */
  results: ResultStore | undefined;
}

/** Messages that wait for their confirmation at once. */
const BATCH = 100;

/** Publishes what follows a task and then its result, as Celery's worker does, to one who asked for it. @throws {NotPublished} */
export async function publishAnswer(ways: AnswerWays, owed: Owed, ending: TaskEnding): Promise<void> {
  const { tasks, refusal } = whatFollows(owed, ending);
  if (refusal) await bury(ways, followUpsPublication(ending.task_id, owed.follow_ups), refusal, 'celery');
  for (let first = 0; first < tasks.length; first += BATCH) {
    await Promise.all(tasks.slice(first, first + BATCH).map((task) => publishTask(ways, task)));
  }
  for (const told of whatIsTold(owed, ending)) await publishResult(ways.rabbit, told);
}

async function publishTask(ways: AnswerWays, task: OutgoingTask): Promise<void> {
  const publication = taskPublication(task);
  await ways.rabbit.publish(publication).catch((error: unknown) => {
    if (!(error instanceof Unroutable || error instanceof Unwritable)) throw error;
    return bury(ways, publication, { code: 'unroutable', detail: error.message }, task.routing_key);
  });
}

/** Puts a message among the dead letters. @param from the queue that it came from, or was for. @throws {NotPublished} */
export async function bury(ways: AnswerWays, message: Publication, refusal: Refusal, from: string): Promise<void> {
  const burial = { from, to: DEAD_LETTER_QUEUE, at: new Date() };
  await ways.rabbit.publish(deadLetterPublication(message, refusal, burial)).catch((error: unknown) => {
    if (!(error instanceof Unwritable)) throw error;
    // Its own headers are larger than can be written.
    return ways.rabbit.publish(deadLetterPublication(message, refusal, burial, {}));
  });
}

/** Publishes a result where a client waits for it. @throws {NotPublished} */
export async function publishResult(rabbit: AnswerWays['rabbit'], { reply_to, result }: Told): Promise<void> {
  if (reply_to !== '') await rabbit.publish(replyPublication(result, reply_to));
}

/** Keeps the result of a task where clients look for it. @throws while Redis is away. */
export async function storeAnswer({ results }: AnswerWays, owed: Owed, ending: TaskEnding): Promise<void> {
  for (const { result } of whatIsTold(owed, ending)) await results?.store(result);
}
