import type { CallbackEvent } from '../../contracts/callback.ts';
import type { CallbackInput, CallbackMessage, CallbackOutcome } from '../../contracts/callback-workflow.ts';

/** What workflows ask of those who send callbacks. */
export interface CallbackPort {
  /** What a callback says about an ending. */
  composeCallback(about: CallbackInput): Promise<CallbackMessage>;

  /** Sends it once to where the callbacks of its subject go. */
  sendCallback(request: CallbackMessage & { subject: string }): Promise<CallbackOutcome>;
}

/** What workflows ask of the record about callbacks. */
export interface CallbackRecordPort {
  /** Keeps where the callbacks of a subject go; the first URL stands. */
  keepCallbackUrl(request: { subject: string; url: string }): Promise<void>;

  /** Tells what became of a try to the stream of its subject; telling it twice is telling it once. */
  appendCallbackEvent(request: { subject: string; event: CallbackEvent }): Promise<void>;
}
