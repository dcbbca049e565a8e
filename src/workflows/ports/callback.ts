import type { CallbackEvent } from '../../contracts/endings/callback.ts';
import type { CallbackInput, CallbackMessage, CallbackTry } from '../../contracts/endings/callback-workflow.ts';

/** Activities that send callbacks. */
export interface CallbackPort {
  /** Composes what a callback says about an ending. */
  composeCallback(about: CallbackInput): Promise<CallbackMessage>;

  /** Sends a callback once to a target of its subject. */
  sendCallback(request: CallbackMessage & Pick<CallbackInput, 'subject' | 'target'>): Promise<CallbackTry>;
}

/** Activities that use the record for callbacks. */
export interface CallbackRecordPort {
  /** Returns the targets that are told of an ending of the subject. */
  listCallbackTargets(request: { subject: string }): Promise<string[]>;

  /** Keeps the URL of the request that made the subject. */
  keepCallbackUrl(request: { subject: string; url: string }): Promise<void>;

  /** Records the outcome of a try in the stream of its subject. Recording it twice changes nothing. */
  appendCallbackEvent(request: { subject: string; event: CallbackEvent }): Promise<void>;
}
