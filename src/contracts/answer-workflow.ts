/** Type name of the answer workflow. */
export const ANSWER_WORKFLOW = 'answer';

/** Workflow id of the answer about one ending of a task: a second one is refused, so a repeat makes none. */
export function answerWorkflowId({ task_id, ending }: AnswerInput): string {
  return `answer-${task_id}-${ending}`;
}

/** Input of the answer workflow. What is owed to whom, and the result, are read from the store. */
export interface AnswerInput {
  task_id: string;
  /** Dedupe key of the event that ended the task; what is begun again ends under another. */
  ending: string;
}
