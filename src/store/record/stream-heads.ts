import { LIMITS } from '../../contracts/budgets.ts';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

/** Where a stream ends, and what its events add up to there. */
export interface Head<State> {
  state: State | undefined;
  seq: number;
  hash: string;
}

/**
 * The heads of the streams that this process appended to last, so that the next event needs no reading. Another process
 * may have appended since: a recalled head is a guess, and the statement that appends checks it.
 */
class StreamHeads {
  readonly #heads = new Map<string, Head<unknown>>();
  /** Of streams that have no other event. */
  readonly #firsts = new Map<string, RecordedEvent>();

  recall(stream: string): Head<unknown> | undefined {
    return this.#heads.get(stream);
  }

  /**
   * The first event of a stream, if this process appended it and nothing since. Each is given once: if the database has lost it,
   * the next event finds that out, and then the database is asked.
   */
  takeFirst(stream: string): RecordedEvent | undefined {
    const first = this.#firsts.get(stream);
    this.#firsts.delete(stream);
    return first;
  }

  keepFirst(stream: string, event: RecordedEvent): void {
    if (this.#heads.has(stream)) this.#firsts.set(stream, event);
  }

  /** @param characters of the state in JSON. A large one is not kept: its next event reads it. */
  keep(stream: string, head: Head<unknown>, characters: number): void {
    // The last kept stands last, so the first is the oldest.
    this.#heads.delete(stream);
    this.#firsts.delete(stream);
    if (characters > LIMITS.memory.headCharacters) return;
    this.#heads.set(stream, head);
    if (this.#heads.size <= LIMITS.memory.heads) return;
    const oldest = this.#heads.keys().next().value as string;
    this.#heads.delete(oldest);
    this.#firsts.delete(oldest);
  }
}

const perDatabase = new WeakMap<Db, StreamHeads>();

/** The heads kept for a database. A transaction has its own, which go with it, since it may be rolled back. */
export function streamHeads(db: Db): StreamHeads {
  const known = perDatabase.get(db) ?? new StreamHeads();
  perDatabase.set(db, known);
  return known;
}
