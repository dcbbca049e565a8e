/** Enough for the dedup windows of a busy process; a key is 64 characters. */
const MOST = 10_000;

/**
 * Request keys that this process has met lately. A key that it never met is most likely new, so its trigger goes straight
 * to Temporal, which decides anyway; only for the others is a read of the database worth its time.
 */
export class RecentKeys {
  readonly #keys = new Set<string>();

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size > MOST) this.#keys.delete(this.#keys.keys().next().value!);
  }
}
