import type { Db } from '../../store/database.ts';
import { listSubscriptionVersions } from '../../store/subscriptions/subscription-version-list.ts';

/** How often the subscriptions are looked at while any is delivered to. */
const LOOK_EVERY_MS = 1_000;

/** Notices that subscriptions were changed or deleted: one query a second for all that a process delivers to. */
export class Versions {
  readonly #db: Db;
  #watching = 0;
  #timer: NodeJS.Timeout | undefined;
  #versions: ReadonlyMap<string, number> = new Map();
  #askedAt = 0;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Looks until the returned function is called. */
  watch(): () => void {
    this.#watching += 1;
    this.#timer ??= setTimeout(() => this.#look(), LOOK_EVERY_MS);
    return () => {
      this.#watching -= 1;
    };
  }

  /** Whether a subscription has another version than the one that was read at a time. */
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
