/** Type name of the answer workflow. */
export const ANSWER_WORKFLOW = 'answer';

/** Workflow id of the answer about one ending of a task. Temporal refuses a second start under it, so a repeat has no effect. */
export function answerWorkflowId({ task_id, ending }: AnswerInput): string {
  return `answer-${task_id}-${ending}`;
}

/** Input of the answer workflow. Who waits for a reply, and the result, are read from the store. */
export interface AnswerInput {
  task_id: string;
  /** Dedupe key of the event that ended the task. A task that is begun again ends under another key. */
  ending: string;
}
