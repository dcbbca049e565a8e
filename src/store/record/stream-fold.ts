import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { foldEvent } from '../../domain/record/fold.ts';
import type { ChainFault } from '../../domain/record/hash.ts';
import { type AnyStreamKind, type Identified, type ProjectionRow, streamOf } from './stream-kind.ts';
import { kindOf, strangeness } from './stream-kinds.ts';

/** What a stream adds up to. */
export interface FoldedRow {
  kind: AnyStreamKind;
  row: ProjectionRow;
}

/** Folds streams, one after the other, into rows of their projections. */
export class StreamFold {
  #stream = '';
  #kind: AnyStreamKind | undefined;
  #state: Identified | undefined;
  #last: RecordedEvent | undefined;
  #fault: ChainFault | undefined;

  /** Takes the next event; one of another stream begins that one. */
  add(event: RecordedEvent): ChainFault | undefined {
    if (event.stream !== this.#stream) {
      this.#stream = event.stream;
      this.#kind = kindOf(event.stream);
      this.#state = undefined;
      this.#fault = undefined;
    }
    this.#last = event;
    if (this.#fault) return undefined; // what follows an event that cannot be says nothing new
    try {
      if (!this.#kind) throw new Error(strangeness(event));
      const state: Identified = foldEvent<Identified, unknown>(this.#kind, this.#state, event);
      if (streamOf(this.#kind, state.id) !== event.stream)
        throw new Error(`it tells of ${this.#kind.name} ${state.id}`);
      this.#state = state;
    } catch (error) {
      this.#fault = { seq: event.seq, fault: `cannot stand here: ${(error as Error).message}` };
    }
    return this.#fault;
  }

  /** The row of the stream that was added last, if it adds up to one. */
  row(): FoldedRow | undefined {
    if (this.#fault || !this.#kind || !this.#state || !this.#last) return undefined;
    return { kind: this.#kind, row: this.#kind.rowOf(this.#state, this.#last) };
  }
}
