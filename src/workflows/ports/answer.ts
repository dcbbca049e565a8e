import type { RedeliverInput } from '../../contracts/celery/dead-message.ts';
import type { AnswerInput } from '../../contracts/endings/answer-workflow.ts';

/** What workflows ask of the bridge. All may be repeated: what arrives twice has the same id, and means the same. */
export interface AnswerPort {
  /** Does both of the following once, where RabbitMQ and Redis are there. */
  answerNow(about: AnswerInput): Promise<void>;

  /** Publishes to RabbitMQ what follows the task, then its result to each who waits for it. */
  publishAnswers(about: AnswerInput): Promise<void>;

  /** Keeps the result in Redis, where that is the clients' result back end. */
  storeResult(about: AnswerInput): Promise<void>;

  /** Publishes a refused message again, as it came. One that no queue takes is refused again. */
  publishAgain(about: RedeliverInput): Promise<void>;
}
