import { type AnswerInput, answerWorkflowId } from '../../contracts/endings/answer-workflow.ts';
import { answers } from '../activities.ts';
import { beginApart } from './begin-apart.ts';

/**
 * Tells the senders of a task's messages how it ended, however long the bridge, RabbitMQ or Redis is away: each of the two
 * ways is tried until it succeeds, and neither waits for the other.
 */
export async function answer(input: AnswerInput): Promise<void> {
  await Promise.all([answers.publishAnswers(input), answers.storeResult(input)]);
}

/** Begins the answer about an ending, {@link beginApart}. */
export function beginAnswer(input: AnswerInput): Promise<void> {
  const staticSummary = `answer about task ${input.task_id}`;
  return beginApart(answer, input, { workflowId: answerWorkflowId(input), staticSummary });
}
