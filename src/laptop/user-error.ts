/** A fault that the user can mend: the message says how, and is shown without a stack. */
export class UserError extends Error {
  override name = 'UserError';
}
