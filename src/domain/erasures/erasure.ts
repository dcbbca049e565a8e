import type { ErasureEvent } from '../../contracts/erasures/erasure-event.ts';
import { IllegalEvent } from '../record/illegal-event.ts';

/** An erasure, as its only event describes it. */
export interface Erasure {
  id: string;
  status: ErasureEvent['data']['what'];
  erased_by: string;
  created_at: string;
}

/**
 * Returns the state after an event.
 * @throws {IllegalEvent} if the event cannot follow the state.
 */
export function evolveErasure(erasure: Erasure | undefined, { data, occurred_at }: ErasureEvent): Erasure {
  if (erasure) throw new IllegalEvent(`erasure ${erasure.id} was recorded already`);
  const { erasure_id: id, what: status, by: erased_by } = data;
  return { id, status, erased_by, created_at: occurred_at };
}
