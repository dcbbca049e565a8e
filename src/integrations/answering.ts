import type { Owed } from '../contracts/celery.ts';
import { type TaskEnding, type Told, whatFollows, whatIsTold } from '../domain/celery-answer.ts';
import { deadLetterPublication, replyPublication, taskPublication } from './celery-publication.ts';
import { type RabbitMq, Unroutable } from './rabbitmq.ts';
import type { ResultStore } from './result-store.ts';

/** Messages that became no task, and tasks that no queue takes. */
export const DEAD_LETTER_QUEUE = 'hapax.dead-letter';

/** The ways on which senders of messages learn how their tasks ended. */
export interface AnswerWays {
  rabbit: Pick<RabbitMq, 'publish'>;
  /** Unset: the clients' result back end is not Redis. */
  results: ResultStore | undefined;
}

/** Publishes what follows a task and then its result, as Celery's worker does, to one who asked for it. @throws {NotPublished} */
export async function publishAnswer({ rabbit }: AnswerWays, owed: Owed, ending: TaskEnding): Promise<void> {
  for (const task of whatFollows(owed, ending)) {
    const publication = taskPublication(task);
    await rabbit.publish(publication).catch((error: unknown) => {
      if (!(error instanceof Unroutable)) throw error;
      const refusal = { code: 'unroutable', detail: error.message } as const;
      const burial = { from: task.routing_key, to: DEAD_LETTER_QUEUE, at: new Date() };
      return rabbit.publish(deadLetterPublication(publication, refusal, burial));
    });
  }
  for (const told of whatIsTold(owed, ending)) await publishResult(rabbit, told);
}

/** Publishes a result where a client waits for it. @throws {NotPublished} */
export async function publishResult(rabbit: AnswerWays['rabbit'], { reply_to, result }: Told): Promise<void> {
  if (reply_to !== '') await rabbit.publish(replyPublication(result, reply_to));
}

/** Keeps the result of a task where clients look for it. @throws while Redis is away. */
export async function storeAnswer({ results }: AnswerWays, owed: Owed, ending: TaskEnding): Promise<void> {
  for (const { result } of whatIsTold(owed, ending)) await results?.store(result);
}
