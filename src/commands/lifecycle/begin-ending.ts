import type { Client } from '@temporalio/client';
import { ANSWER_WORKFLOW, type AnswerInput, answerWorkflowId } from '../../contracts/endings/answer-workflow.ts';
import {
  CALLBACK_WORKFLOW,
  type CallbackInput,
  callbackWorkflowId,
  targetOf,
} from '../../contracts/endings/callback-workflow.ts';
import { listPendingReplies } from '../../store/celery/pending-reply-list-by-task.ts';
import type { Db } from '../../store/database.ts';
import { listCallbackTargets } from '../../store/endings/callback-target-list.ts';
import { TASKS } from '../../store/tasks/task-stream.ts';
import type { answer, callback } from '../../workflows/index.ts';
import { startWorkflow } from './start-workflow.ts';

/**
 * Starts the callbacks and replies about an ending, if no workflow of the build or task does. They wait for the event. Does
 * not restart those that were started before about the same ending.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function beginEnding(
  { client, db }: { client: Client; db: Db },
  about: { subject: string; ending: string },
): Promise<void> {
  for (const target of await listCallbackTargets(db, about.subject)) {
    await beginCallback(client, { ...about, ...targetOf(target) });
  }
  const [kind, task_id = ''] = about.subject.split(/:(.*)/s);
  if (kind !== TASKS.name || (await listPendingReplies(db, task_id)).length === 0) return;
  await beginReplies(client, { task_id, ending: about.ending });
}

/** Starts one callback about an ending; returns false if it was started before. @throws {Refusal} if Temporal cannot be reached. */
export function beginCallback(client: Client, input: CallbackInput): Promise<boolean> {
  return startWorkflow<typeof callback>({ client }, CALLBACK_WORKFLOW, input, 'REJECT_DUPLICATE', {
    workflowId: callbackWorkflowId(input),
    staticSummary: `callback about ${input.subject}`,
  });
}

/**
 * Starts the replies about the ending of a task; returns false if they were started before.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export function beginReplies(client: Client, input: AnswerInput): Promise<boolean> {
  return startWorkflow<typeof answer>({ client }, ANSWER_WORKFLOW, input, 'REJECT_DUPLICATE', {
    workflowId: answerWorkflowId(input),
    staticSummary: `answer about task ${input.task_id}`,
  });
}
