/** Type name of the callback workflow. */
export const CALLBACK_WORKFLOW = 'callback';

/** Workflow id of the callback about one ending of a subject. Temporal refuses a second start under it, so a repeat has no effect. */
export function callbackWorkflowId({ subject, ending }: CallbackInput): string {
  return `callback-${subject}-${ending}`;
}

/** Input of the callback workflow. The URL is not in it: it may be a secret, and is read from the store at each try. */
export interface CallbackInput {
  /** The stream of the build or task that has ended, as `build:12`. */
  subject: string;
  /** Dedupe key of the event that ended it. After a retry it ends again, under another key. */
  ending: string;
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

/** Where the callbacks of a subject go. */
export interface CallbackTarget {
  url: string;
  /** Scheme, host and port: no more of the URL gets into the record. */
  origin: string;
}
