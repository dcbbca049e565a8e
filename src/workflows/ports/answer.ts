import type { RedeliverInput } from '../../contracts/celery/dead-message.ts';
import type { AnswerInput } from '../../contracts/endings/answer-workflow.ts';

/** Activities of the bridge. All may be repeated: a message that arrives twice has the same id, and means the same. */
export interface AnswerPort {
  /** Does both of the following once, if RabbitMQ and Redis are up. */
  answerNow(about: AnswerInput): Promise<void>;

  /** Publishes to RabbitMQ the tasks that follow the task, then its result to everybody who waits for it. */
  publishAnswers(about: AnswerInput): Promise<void>;

  /** Stores the result in Redis, if that is the clients' result back end. */
  storeResult(about: AnswerInput): Promise<void>;

  /** Publishes a refused message again, as it came. If no queue takes it, it is refused again. */
  publishAgain(about: RedeliverInput): Promise<void>;
}
