/** A message that did not become a task, as it is kept beside the queue `hapax.dead-letter`. */
export interface DeadMessage {
  /** Derived from everything that its publisher sent, so the same message always has the same id. */
  id: string;
  /** The queue it came from, or was meant for. */
  queue: string;
  /** Code of the refusal. `detail` has one line for people. */
  reason: string;
  detail: string;
  task_id: string | null;
  task: string | null;
  /** JSON of how to publish it again. The body is separate, in base64. */
  publication: string;
  body: string;
  /** How many times it was refused. */
  refusals: number;
  first_refused_at: string;
  /** When it was last refused. */
  created_at: string;
  settled: 'redriven' | 'discarded' | null;
  settled_by: string | null;
  settled_at: string | null;
}

/** Type name of the workflow that publishes a refused message again. */
export const REDELIVER_WORKFLOW = 'redeliver';

/** Input of that workflow, which reads the message from the store. */
export interface RedeliverInput {
  id: string;
  /** The refusal that it follows. After each one, the message can be published again once. */
  refusals: number;
}

export function redeliverWorkflowId({ id, refusals }: RedeliverInput): string {
  return `redeliver-${id}-${refusals}`;
}
