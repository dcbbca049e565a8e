import type { Db } from '../../store/database.ts';
import { countInFlight } from '../../store/keys/in-flight-count.ts';
import { Refusal } from '../refusal.ts';

/** When to try again, in seconds: some work may have ended by then. */
const RETRY_SECONDS = 5;

/**
 * Limits what callers have in flight, by the record. One process accepts the requests of such a caller one after the other,
 * so that many requests at once do not all see the same count. Several processes can exceed the limit by one each.
 */
export class InFlight {
  readonly #db: Db;
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** @throws {Refusal} 429 if the caller has as many already. */
  async within<Result>(
    kind: 'builds' | 'tasks',
    caller: string,
    most: number,
    accept: () => Promise<Result>,
  ): Promise<Result> {
    const turn = `${kind} ${caller}`;
    const before = this.#last.get(turn) ?? Promise.resolve();
    const mine = before.then(async () => {
      if ((await countInFlight(this.#db, kind, caller, most)) >= most) {
        const detail = `${caller} may have ${most} ${kind} that have not ended, and has them; wait for one, or cancel one`;
        throw new Refusal('too_many_in_flight', { detail, retryAfterSeconds: RETRY_SECONDS });
      }
      return accept();
    });
    const settled = mine
      .catch(() => {})
      .finally(() => {
        if (this.#last.get(turn) === settled) this.#last.delete(turn);
      });
    this.#last.set(turn, settled);
    return mine;
  }
}
