import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { Evolution } from '../../domain/record/fold.ts';
import type { ChainHead } from '../../domain/record/hash.ts';
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

/** A kind of stream: the state that its events add up to, and the table that holds it. */
export interface StreamKind<State extends Identified, Event extends ToldEvent> extends Evolution<State, Event> {
  /** Name of the kind. With a colon, it is the prefix of its streams. */
  name: string;
  /** The event that begins a stream. It can be nowhere else. */
  first: Event['type'];
  data: Readonly<Record<Event['type'], { parse(data: unknown): Record<string, unknown> }>>;
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
