import type { ChainHead } from '../../domain/record/hash.ts';
import type { ProjectionRow } from './stream-kind.ts';

/** A row with the fields of a state and the head of its stream. */
export type StateRow<State> = State & HeadColumns;

type HeadColumns = Pick<ProjectionRow, 'last_seq' | 'last_hash'>;

/** Returns the row of the projection for a state and the head of its stream. */
export function rowOfState<State extends object>(state: State, head: ChainHead): StateRow<State> {
  return { ...state, last_seq: head.seq, last_hash: head.hash };
}

/** Returns the state in a row of the projection, without the columns that only the store needs. */
export function stateOfRow<State>(row: HeadColumns): State {
  const { last_seq: _seq, last_hash: _hash, ...state } = row;
  return state as State;
}
