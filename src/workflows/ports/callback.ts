import type { CallbackEvent } from '../../contracts/endings/callback.ts';
import type { CallbackInput, CallbackMessage, CallbackTry } from '../../contracts/endings/callback-workflow.ts';

/** What workflows ask of those who send callbacks. */
export interface CallbackPort {
  /** What a callback says about an ending. */
  composeCallback(about: CallbackInput): Promise<CallbackMessage>;

  /** Sends it once to a target of its subject. */
  sendCallback(request: CallbackMessage & Pick<CallbackInput, 'subject' | 'target'>): Promise<CallbackTry>;
}

/** What workflows ask of the record about callbacks. */
export interface CallbackRecordPort {
  /** The targets that are told of an ending of the subject. */
  listCallbackTargets(request: { subject: string }): Promise<string[]>;

  /** Keeps the URL of the request that made the subject. */
  keepCallbackUrl(request: { subject: string; url: string }): Promise<void>;

  /** Tells what became of a try to the stream of its subject; telling it twice is telling it once. */
  appendCallbackEvent(request: { subject: string; event: CallbackEvent }): Promise<void>;
}
