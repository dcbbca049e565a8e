import { type ErasureEvent, erasureEventData } from '../../contracts/erasures/erasure-event.ts';
import { type Erasure, evolveErasure } from '../../domain/erasures/erasure.ts';
import { rowOfState, stateOfRow } from '../record/state-row.ts';
import type { StreamKind } from '../record/stream-kind.ts';

/** Erasures of data without a stream: streams `erasure:<id>`, projected into the table `erasures`. */
export const ERASURES: StreamKind<Erasure, ErasureEvent> = {
  name: 'erasure',
  first: 'erasure_recorded',
  data: erasureEventData,
  evolve: evolveErasure,
  table: 'erasures',
  rowOf: rowOfState,
  stateOf: stateOfRow,
};
