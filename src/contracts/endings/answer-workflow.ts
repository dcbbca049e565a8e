/** Type name of the answer workflow. */
export const ANSWER_WORKFLOW = 'answer';

/** Returns the id of the answer workflow for one end of a task. Temporal refuses to start it twice, so a repeat has no effect. */
export function answerWorkflowId({ task_id, ending }: AnswerInput): string {
  return `answer-${task_id}-${ending}`;
}

/** Input of the answer workflow. It reads the result, and who waits for a reply, from the store. */
export interface AnswerInput {
  task_id: string;
  /** Dedupe key of the event that ended the task. A redriven task ends under another key. */
  ending: string;
}
