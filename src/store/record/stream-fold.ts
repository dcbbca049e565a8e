import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { ERASURES } from '../../domain/record/erased.ts';
import { foldEvent } from '../../domain/record/fold.ts';
import type { ChainFault } from '../../domain/record/hash.ts';
import { isErased } from '../../domain/record/sealed.ts';
import { type AnyStreamKind, type Identified, type ProjectionRow, streamOf } from './stream-kind.ts';
import { kindOf, strangeness } from './stream-kinds.ts';

/** The row that a stream adds up to. */
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
  /** The first event since the last erasure that still has its values, and the first one that lost them. */
  #kept: number | undefined;
  #gone: number | undefined;

  /** Adds the next event. An event of another stream begins that stream. */
  add(event: RecordedEvent): ChainFault | undefined {
    if (event.stream !== this.#stream) {
      this.#stream = event.stream;
      this.#kind = kindOf(event.stream);
      this.#state = undefined;
      this.#fault = undefined;
      this.#kept = this.#gone = undefined;
    }
    this.#last = event;
    if (this.#fault) return undefined; // events after an impossible one say nothing new
    try {
      if (!this.#kind) throw new Error(strangeness(event));
      const state: Identified = foldEvent<Identified, unknown>(this.#kind, this.#state, event);
      if (streamOf(this.#kind, state.id) !== event.stream)
        throw new Error(`it tells of ${this.#kind.name} ${state.id}`);
      this.#state = state;
    } catch (error) {
      this.#fault = { seq: event.seq, fault: `cannot stand here: ${(error as Error).message}` };
    }
    return this.#fault ?? this.#faultOfErasure(event);
  }

  /** Returns what is wrong with the values of the current stream: some are gone, and no event says that they were erased. */
  end(): ChainFault | undefined {
    return this.#gone === undefined
      ? undefined
      : { seq: this.#gone, fault: 'lacks values that were kept beside it, and no erasure was recorded' };
  }

  #faultOfErasure(event: RecordedEvent): ChainFault | undefined {
    const { seq, type, sealed } = event;
    if (isErased(event)) this.#gone ??= seq;
    else if (sealed) this.#kept ??= seq;
    if (!ERASURES.has(type)) return undefined;
    const kept = this.#kept;
    this.#kept = this.#gone = undefined;
    if (kept === undefined) return undefined;
    return { seq, fault: `says that values were erased, but those of event ${kept} are still there` };
  }

  /** Returns the row of the current stream, if it adds up to one. */
  row(): FoldedRow | undefined {
    if (this.#fault || !this.#kind || !this.#state || !this.#last) return undefined;
    return { kind: this.#kind, row: this.#kind.rowOf(this.#state, this.#last) };
  }
}
