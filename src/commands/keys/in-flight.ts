import type { Db } from '../../store/database.ts';
import { countInFlight } from '../../store/keys/in-flight-count.ts';
import { inTime } from '../lifecycle/in-time.ts';
import { Refusal } from '../refusal.ts';

/** When to try again, in seconds: some work may have ended by then. */
const RETRY_SECONDS = 5;
/** How long a request waits for those before it: as long as one of them waits for Temporal. */
const TURN_MS = 10_000;

/**
 * Limits what callers have in flight, by the record. One process accepts the requests of such a caller one after the other,
 * so that many requests at once do not all see the same count. Several processes can exceed the limit by one each.
 */
export class InFlight {
  readonly #db: Db;
  readonly #turnMs: number;
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(db: Db, turnMs = TURN_MS) {
    this.#db = db;
    this.#turnMs = turnMs;
  }

  /** @throws {Refusal} 429 if the caller has as many already; 503 if the requests before it take too long. It was not accepted then. */
  async within<Result>(
    kind: 'builds' | 'tasks',
    caller: string,
    most: number,
    accept: () => Promise<Result>,
  ): Promise<Result> {
    const turn = `${kind} ${caller}`;
    const before = this.#last.get(turn) ?? Promise.resolve();
    const late = () => {
      const detail = `earlier requests of ${caller} still wait for Temporal; try again`;
      throw new Refusal('temporal_unavailable', { detail, retryAfterSeconds: RETRY_SECONDS });
    };
    const mine = inTime(before, this.#turnMs, 'no turn').then(async () => {
      if ((await countInFlight(this.#db, kind, caller, most)) >= most) {
        const detail = `${caller} may have ${most} ${kind} that have not ended, and has them; wait for one, or cancel one`;
        throw new Refusal('too_many_in_flight', { detail, retryAfterSeconds: RETRY_SECONDS });
      }
      return accept();
    }, late);
    // The next request waits for all requests before it, even if this one was refused.
    const settled = Promise.allSettled([before, mine]).then(() => {
      if (this.#last.get(turn) === settled) this.#last.delete(turn);
    });
    this.#last.set(turn, settled);
    return mine;
  }
}
