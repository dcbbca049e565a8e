import type { Client } from '@temporalio/client';
import { ANSWER_WORKFLOW, type AnswerInput, answerWorkflowId } from '../../contracts/answer-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../contracts/task-queues.ts';
import type { answer } from '../../workflows/index.ts';
import { startedFirst } from './start-build.ts';

/**
 * Begins the answer about an ending that no workflow can tell, since the API recorded it itself. A second one about the
 * same ending is none. @throws {ApiError} where Temporal cannot be reached.
 */
export async function beginAnswer(client: Client, input: AnswerInput): Promise<void> {
  await startedFirst(client, () =>
    client.workflow.start<typeof answer>(ANSWER_WORKFLOW, {
      workflowId: answerWorkflowId(input),
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `answer about task ${input.task_id}`,
    }),
  );
}
