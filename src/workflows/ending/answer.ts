import { log, patched } from '@temporalio/workflow';
import { type AnswerInput, answerWorkflowId } from '../../contracts/endings/answer-workflow.ts';
import { answers, answersNow } from '../activities.ts';
import { beginApart } from './begin-apart.ts';

/**
 * Tells the senders of a task's messages how it ended, however long the bridge, RabbitMQ or Redis is down. Each of the two ways is
 * tried until it succeeds, and neither waits for the other.
 */
export async function answer(input: AnswerInput): Promise<void> {
  await Promise.all([answers.publishAnswers(input), answers.storeResult(input)]);
}

/** Replies at once if the bridge can. Otherwise starts a workflow that replies later, see {@link beginApart}. */
export async function beginAnswer(input: AnswerInput): Promise<void> {
  if (patched('answer-at-once')) {
    try {
      return await answersNow.answerNow(input);
    } catch (error) {
      log.info('the senders of messages are answered later', { error });
    }
  }
  const staticSummary = `answer about task ${input.task_id}`;
  return beginApart(answer, input, { workflowId: answerWorkflowId(input), staticSummary });
}
