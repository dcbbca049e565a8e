import { LIMITS } from '../../contracts/budgets.ts';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

/** The end of a stream, and the state that its events add up to. */
export interface Head<State> {
  state: State | undefined;
  seq: number;
  hash: string;
}

/**
 * The heads of the streams that this process appended to most recently, so that the next event needs no reading. Another
 * process may have appended since: a recalled head is a guess, and the statement that appends checks it.
 */
class StreamHeads {
  readonly #heads = new Map<string, Head<unknown>>();
  /** First events of streams that have no other event. */
  readonly #firsts = new Map<string, RecordedEvent>();

  recall(stream: string): Head<unknown> | undefined {
    return this.#heads.get(stream);
  }

  /**
   * Returns the first event of a stream if this process appended it and nothing since. It returns each only once: if the
   * database has lost it, the next event shows that, and then the database is read.
   */
  takeFirst(stream: string): RecordedEvent | undefined {
    const first = this.#firsts.get(stream);
    this.#firsts.delete(stream);
    return first;
  }

  keepFirst(stream: string, event: RecordedEvent): void {
    if (this.#heads.has(stream)) this.#firsts.set(stream, event);
  }

  /** Forgets a stream whose values were erased. */
  forget(stream: string): void {
    this.#heads.delete(stream);
    this.#firsts.delete(stream);
  }

  /** @param characters of the state in JSON. A head with a large state is not kept; its next event reads it. */
  keep(stream: string, head: Head<unknown>, characters: number): void {
    // Moves the stream to the end of the map, so the first entry is the oldest.
    this.forget(stream);
    if (characters > LIMITS.memory.headCharacters) return;
    this.#heads.set(stream, head);
    if (this.#heads.size <= LIMITS.memory.heads) return;
    const oldest = this.#heads.keys().next().value as string;
    this.forget(oldest);
  }
}

const perDatabase = new WeakMap<Db, StreamHeads>();

/** Returns the heads kept for a database. A transaction has its own, which go with it: it may be rolled back. */
export function streamHeads(db: Db): StreamHeads {
  const known = perDatabase.get(db) ?? new StreamHeads();
  perDatabase.set(db, known);
  return known;
}
