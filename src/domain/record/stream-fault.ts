/**
 * Thrown when a stream ends before an event that was appended to it: the database was set back to an earlier state. Whoever knows the
 * lost events records them again.
 */
export class RecordSetBack extends Error {
  override readonly name = 'RecordSetBack';
}

/** Thrown when a stream belongs to another workflow than the one that appends to it. Trying again does not help. */
export class ForeignStream extends Error {
  override readonly name = 'ForeignStream';
}

/** Thrown when a stream has events after the last one that its appender expected: somebody else appended to it. */
export class StreamWentOn extends Error {
  override readonly name = 'StreamWentOn';
}

/** The workflow that a stream belongs to, as the first event of the stream names it. */
export interface StreamOwner {
  workflow_id: string;
  /** When the request was accepted, ISO 8601: two requests with the same workflow id differ in it. */
  created_at: string;
}

/** The stream that the appender of an event expects. */
export interface ExpectedStream {
  /** If left out, any owner. */
  owner?: StreamOwner | undefined;
  /** The last sequence number that the appender knows of; if left out, none. */
  after_seq?: number | undefined;
  /** Whether no event may follow that number. */
  is_last?: boolean;
}

/**
 * Checks that a stream is the one that its appender expects.
 * @throws {RecordSetBack} if it ends too early. @throws {ForeignStream} if it belongs to another workflow.
 * @throws {StreamWentOn} if it ends too late.
 */
export function assertExpected(
  stream: string,
  head: { seq: number; state: Partial<StreamOwner> | undefined },
  { owner, after_seq = 0, is_last = false }: ExpectedStream,
): void {
  if (head.state && owner && !isOwner(head.state, owner)) {
    throw new ForeignStream(
      `${stream} belongs to ${head.state.workflow_id}, accepted at ${head.state.created_at}, and not to ${owner.workflow_id}, accepted at ${owner.created_at}`,
    );
  }
  if (head.seq < after_seq) {
    throw new RecordSetBack(`${stream} ends at ${head.seq}, but had ${after_seq} events: the database was set back`);
  }
  if (is_last && head.seq > after_seq) {
    throw new StreamWentOn(`${stream} goes on after its number ${after_seq}, to ${head.seq}`);
  }
}

function isOwner(state: Partial<StreamOwner>, owner: StreamOwner): boolean {
  return state.workflow_id === owner.workflow_id && state.created_at === owner.created_at;
}
