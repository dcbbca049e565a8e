/** Type name of the callback workflow. */
export const CALLBACK_WORKFLOW = 'callback';

/** Returns the id of the callback workflow for one end of a subject. Temporal refuses to start it twice, so a repeat has no effect. */
export function callbackWorkflowId(input: CallbackInput): string {
  return `callback-${input.subject}-${stepOf(input)}`;
}

/** Returns the dedupe key of the event about an attempt, numbered from 1. */
export function callbackEventKey(input: CallbackInput, attempt: number): string {
  return `callback:${stepOf(input)}:${attempt}`;
}

function stepOf({ ending, target }: CallbackInput): string {
  return target === undefined ? ending : `${ending}-${target}`;
}

/** Target of the callback URL in the request that created the subject. URLs of later requests have random names. */
export const FIRST_TARGET = '';

/** Returns a target in the form of the input, which leaves out the first one: older inputs had no targets. */
export function targetOf(target: string): Pick<CallbackInput, 'target'> {
  return target === FIRST_TARGET ? {} : { target };
}

/** Input of the callback workflow. The URL is not in it, because it may be a secret. Each attempt reads it from the store. */
export interface CallbackInput {
  /** The stream of the build or task that has ended, such as `build:12`. */
  subject: string;
  /** Dedupe key of the event that ended it. After a retry, it ends under another key. */
  ending: string;
  /** One of the subject's URLs; left out for the first. */
  target?: string;
  /** How many attempts the record has, if the workflow that made them was lost. */
  tries?: number;
}

/** Result of the callback workflow. */
export interface CallbackResult {
  webhook_id: string;
  delivered: boolean;
  attempts: number;
}

/** The message to send. It is made once for each callback, so that every attempt sends the same bytes. */
export interface CallbackMessage {
  webhook_id: string;
  /** JSON. */
  body: string;
}

/**
 * The outcome of one attempt. `early`: the receiver is not ready yet but soon will be. `final`: another attempt cannot help. `wait_ms`: the
 * shortest pause that the receiver asks for.
 */
export type CallbackOutcome =
  | { kind: 'delivered'; status: number }
  | { kind: 'failed'; status: number | null; reason: string; wait_ms: number }
  | { kind: 'early' | 'final'; status: number | null; reason: string };

/** The outcome of an attempt, and where it was sent. */
export type CallbackTry = CallbackOutcome & { origin?: string };

/** A receiver of callbacks. */
export interface CallbackTarget {
  url: string;
  /** Scheme, host and port. The rest of the URL is never recorded. */
  origin: string;
}
