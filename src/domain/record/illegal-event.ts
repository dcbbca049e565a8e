/** Thrown when an event cannot follow what has happened. Recording it again will not help. */
export class IllegalEvent extends Error {
  override readonly name = 'IllegalEvent';
}
