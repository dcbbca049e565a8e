import { type ErasureEvent, erasureEventData } from '../../contracts/erasures/erasure-event.ts';
import { type Erasure, evolveErasure } from '../../domain/erasures/erasure.ts';
import type { ChainHead } from '../../domain/record/hash.ts';
import type { StreamKind } from '../record/stream-kind.ts';

/** A row of the table `erasures`. */
interface ErasureRow extends Erasure {
  last_seq: number;
  last_hash: string;
}

/** Erasures of data without a stream: streams `erasure:<id>`, projected into the table `erasures`. */
export const ERASURES: StreamKind<Erasure, ErasureEvent> = {
  name: 'erasure',
  first: 'erasure_recorded',
  data: erasureEventData,
  evolve: evolveErasure,
  table: 'erasures',
  rowOf: (erasure, head: ChainHead) => ({ ...erasure, last_seq: head.seq, last_hash: head.hash }),
  stateOf(row) {
    const { last_seq: _seq, last_hash: _hash, ...erasure } = row as ErasureRow;
    return erasure;
  },
};
