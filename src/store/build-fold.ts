import type { RecordedEvent } from '../contracts/event.ts';
import type { Build } from '../domain/build.ts';
import { foldEvent } from '../domain/fold.ts';
import type { ChainFault } from '../domain/hash.ts';
import { type BuildRow, rowOfBuild } from './build-row.ts';
import { buildStream } from './event-append.ts';

/** Folds the streams of builds, one after the other, into rows of the projection. */
export class BuildFold {
  #stream = '';
  #build: Build | undefined;
  #last: RecordedEvent | undefined;
  #fault: ChainFault | undefined;

  /** Takes the next event; one of another stream begins that one. */
  add(event: RecordedEvent): ChainFault | undefined {
    if (event.stream !== this.#stream) {
      this.#stream = event.stream;
      this.#build = undefined;
      this.#fault = undefined;
    }
    this.#last = event;
    if (this.#fault) return undefined; // what follows an event that cannot be says nothing new
    try {
      this.#build = foldEvent(this.#build, event);
      if (buildStream(this.#build.id) !== event.stream) throw new Error(`it tells of build ${this.#build.id}`);
    } catch (error) {
      this.#fault = { seq: event.seq, fault: `cannot stand here: ${(error as Error).message}` };
    }
    return this.#fault;
  }

  /** The row of the stream that was added last, if it adds up to one. */
  row(): BuildRow | undefined {
    return this.#fault || !this.#build || !this.#last ? undefined : rowOfBuild(this.#build, this.#last);
  }
}
