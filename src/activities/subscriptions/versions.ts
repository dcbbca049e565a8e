import type { Db } from '../../store/database.ts';
import { listSubscriptionVersions } from '../../store/subscriptions/subscription-version-list.ts';

/** How often subscriptions are polled while any is being delivered. */
const LOOK_EVERY_MS = 1_000;

/** Notices changed and deleted subscriptions, with one query a second for all that a process delivers to. */
export class Versions {
  readonly #db: Db;
  #watching = 0;
  #timer: NodeJS.Timeout | undefined;
  #versions: ReadonlyMap<string, number> = new Map();
  #askedAt = 0;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Polls until the returned function is called. */
  watch(): () => void {
    this.#watching += 1;
    this.#timer ??= setTimeout(() => this.#look(), LOOK_EVERY_MS);
    return () => {
      this.#watching -= 1;
    };
  }

  /** Says whether a subscription no longer has the version that was read at a time. */
  isChanged(id: string, version: number, readAt: number): boolean {
    return this.#askedAt > readAt && this.#versions.get(id) !== version;
  }

  async #look(): Promise<void> {
    const askedAt = performance.now();
    const found = await listSubscriptionVersions(this.#db).catch(() => undefined);
    if (found) {
      this.#versions = found;
      this.#askedAt = askedAt;
    }
    this.#timer = this.#watching > 0 ? setTimeout(() => this.#look(), LOOK_EVERY_MS) : undefined;
    this.#timer?.unref();
  }
}
