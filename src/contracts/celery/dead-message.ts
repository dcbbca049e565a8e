/** A message that became no task, as it is kept beside the queue `hapax.dead-letter`. */
export interface DeadMessage {
  /** Made from all that its publisher said: the same message again has the same id. */
  id: string;
  /** Where it was, or was to go. */
  queue: string;
  /** Code of the refusal, and one line for people. */
  reason: string;
  detail: string;
  task_id: string | null;
  task: string | null;
  /** JSON of how it is published again, without its body, which is in base64. */
  publication: string;
  body: string;
  /** How many times it was refused. */
  refusals: number;
  first_refused_at: string;
  /** When it was refused last. */
  created_at: string;
  settled: 'redriven' | 'discarded' | null;
  settled_by: string | null;
  settled_at: string | null;
}

/** Type name of the workflow that publishes a refused message again. */
export const REDELIVER_WORKFLOW = 'redeliver';

/** Input of that workflow. The message is read from the store. */
export interface RedeliverInput {
  id: string;
  /** Which refusal it answers: each lets a message be published again once. */
  refusals: number;
}

export function redeliverWorkflowId({ id, refusals }: RedeliverInput): string {
  return `redeliver-${id}-${refusals}`;
}
