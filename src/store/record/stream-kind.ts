import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { Evolution } from '../../domain/record/fold.ts';
import type { ChainHead } from '../../domain/record/hash.ts';
import { NotRecordable } from '../../domain/record/not-recordable.ts';
import type { StreamOwner } from '../../domain/record/stream-fault.ts';

/** The fields that every projected state has. A stream that no workflow appends to belongs to none. */
export interface Identified extends Partial<Pick<StreamOwner, 'workflow_id'>>, Pick<StreamOwner, 'created_at'> {
  id: string | number;
  status: string;
}

/** A row of a projection: the state of a stream, its head, and fields that only the store needs. */
export interface ProjectionRow {
  id: string | number;
  last_seq: number;
  last_hash: string;
}

/** The data of an event as its schema reads it, or what is wrong with it. */
type Read =
  | { success: true; data: Record<string, unknown>; error?: never }
  | { success: false; error: { issues: ReadonlyArray<{ path: PropertyKey[]; message: string }> } };

/** A kind of stream: the state that its events add up to, and the table that holds it. */
export interface StreamKind<State extends Identified, Event extends ToldEvent> extends Evolution<State, Event> {
  /** Name of the kind. With a colon, it is the prefix of its streams. */
  name: string;
  /** The event that begins a stream. It can be nowhere else. */
  first: Event['type'];
  data: Readonly<Record<Event['type'], { safeParse(data: unknown): Read }>>;
  /** Table of the projection. Its columns are the fields of a row. */
  table: string;
  rowOf(state: State, head: ChainHead): ProjectionRow;
  stateOf(row: ProjectionRow): State;
}

// biome-ignore lint/suspicious/noExplicitAny: what goes through all kinds knows the state and the events of none.
export type AnyStreamKind = StreamKind<any, any>;

/** Returns the name of the stream of an id. */
export function streamOf({ name }: { name: string }, id: string | number): string {
  return `${name}:${id}`;
}

/** Returns the data of an event as its schema reads it. @throws {NotRecordable} */
export function dataOf<State extends Identified, Event extends ToldEvent>(
  kind: StreamKind<State, Event>,
  event: Event,
): Record<string, unknown> {
  const read = kind.data[event.type as Event['type']].safeParse(event.data);
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new NotRecordable(`${event.type}: ${faults.join('; ')}`);
}
