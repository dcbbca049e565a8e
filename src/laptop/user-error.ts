/** A fault that the user can correct: the message says how, and is shown without a stack trace. */
export class UserError extends Error {
  override name = 'UserError';
}
