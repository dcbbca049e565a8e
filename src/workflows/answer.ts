import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { type AnswerInput, answerWorkflowId } from '../contracts/answer-workflow.ts';
import { answers } from './activities.ts';

/**
 * Tells the senders of a task's messages how it ended, however long the bridge, RabbitMQ or Redis is away: each of the two
 * ways is tried until it succeeds, and neither waits for the other.
 */
export async function answer(input: AnswerInput): Promise<void> {
  await Promise.all([answers.publishAnswers(input), answers.storeResult(input)]);
}

/**
 * Begins the answer about an ending as a workflow of its own, so that the task's ends whatever becomes of it. A second one about
 * the same ending, as after a reset, is none.
 */
export async function beginAnswer(input: AnswerInput): Promise<void> {
  try {
    await startChild(answer, {
      workflowId: answerWorkflowId(input),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: `answer about task ${input.task_id}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
