import type { Client } from '@temporalio/client';
import { ANSWER_WORKFLOW, type AnswerInput, answerWorkflowId } from '../../contracts/endings/answer-workflow.ts';
import {
  CALLBACK_WORKFLOW,
  type CallbackInput,
  callbackWorkflowId,
  targetOf,
} from '../../contracts/endings/callback-workflow.ts';
import type { Db } from '../../store/database.ts';
import { listCallbackTargets } from '../../store/endings/callback-target-list.ts';
import type { answer, callback } from '../../workflows/index.ts';
import { firstOf, startedFirst } from '../builds/start-build.ts';

/**
 * An ending is told by workflows of its own, which the workflow of a build or task begins. Where that one is gone, the API
 * records the end and begins them here; what was begun before about the same ending is not begun again.
 */
const ONCE = firstOf({ workerBeside: false }, 'REJECT_DUPLICATE');

/** Begins the callbacks about an ending, one for each URL. @throws {Refusal} where Temporal cannot be reached. */
export async function beginCallbacks(
  { client, db }: { client: Client; db: Db },
  about: { subject: string; ending: string },
): Promise<void> {
  for (const target of await listCallbackTargets(db, about.subject)) {
    await beginCallback(client, { ...about, ...targetOf(target) });
  }
}

/** Begins one callback about an ending; false where it was begun before. @throws {Refusal} where Temporal cannot be reached. */
export function beginCallback(client: Client, input: CallbackInput): Promise<boolean> {
  return startedFirst(client, () =>
    client.workflow.start<typeof callback>(CALLBACK_WORKFLOW, {
      ...ONCE,
      workflowId: callbackWorkflowId(input),
      args: [input],
      staticSummary: `callback about ${input.subject}`,
    }),
  );
}

/** Begins the answer about the ending of a task; false where it was begun before. @throws {Refusal} where Temporal cannot be reached. */
export function beginAnswer(client: Client, input: AnswerInput): Promise<boolean> {
  return startedFirst(client, () =>
    client.workflow.start<typeof answer>(ANSWER_WORKFLOW, {
      ...ONCE,
      workflowId: answerWorkflowId(input),
      args: [input],
      staticSummary: `answer about task ${input.task_id}`,
    }),
  );
}
