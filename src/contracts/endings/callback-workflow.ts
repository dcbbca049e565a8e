/** Type name of the callback workflow. */
export const CALLBACK_WORKFLOW = 'callback';

/** Workflow id of the callback about one ending of a subject. Temporal refuses a second start under it, so a repeat has no effect. */
export function callbackWorkflowId(input: CallbackInput): string {
  return `callback-${input.subject}-${stepOf(input)}`;
}

/** Dedupe key of the event about a try, from 1. */
export function callbackEventKey(input: CallbackInput, attempt: number): string {
  return `callback:${stepOf(input)}:${attempt}`;
}

function stepOf({ ending, target }: CallbackInput): string {
  return target === undefined ? ending : `${ending}-${target}`;
}

/** Target of the URL that the request named which made the subject. Those of further requests have random names. */
export const FIRST_TARGET = '';

/** A target as the input names it: the first by leaving it out, as it was before there were others. */
export function targetOf(target: string): Pick<CallbackInput, 'target'> {
  return target === FIRST_TARGET ? {} : { target };
}

/** Input of the callback workflow. The URL is not in it: it may be a secret, and is read from the store at each try. */
export interface CallbackInput {
  /** The stream of the build or task that has ended, as `build:12`. */
  subject: string;
  /** Dedupe key of the event that ended it. After a retry it ends again, under another key. */
  ending: string;
  /** Which of the URLs of the subject; left out for the first. */
  target?: string;
  /** How many tries the record has, where the workflow that made them was lost. */
  tries?: number;
}

/** Result of the callback workflow. */
export interface CallbackResult {
  webhook_id: string;
  delivered: boolean;
  attempts: number;
}

/** What is sent. It is made once per callback, so that every try sends the same bytes. */
export interface CallbackMessage {
  webhook_id: string;
  /** JSON. */
  body: string;
}

/**
 * The outcome of one try. `early`: the receiver is not ready yet but soon will be. `final`: no further try can help.
 * `wait_ms`: the shortest pause that the receiver asks for.
 */
export type CallbackOutcome =
  | { kind: 'delivered'; status: number }
  | { kind: 'failed'; status: number | null; reason: string; wait_ms: number }
  | { kind: 'early' | 'final'; status: number | null; reason: string };

/** The outcome of a try, and where it went. */
export type CallbackTry = CallbackOutcome & { origin?: string };

/** Where callbacks go. */
export interface CallbackTarget {
  url: string;
  /** Scheme, host and port: no more of the URL gets into the record. */
  origin: string;
}
