/** Thrown when the data of an event does not fit its schema. Recording it again will not help. */
export class NotRecordable extends Error {
  override readonly name = 'NotRecordable';
}
