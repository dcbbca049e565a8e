/** Celery's own bounds (`celery.worker.state`): so many ids, for so long. */
const MOST = 50_000;
const KEPT_MS = 3 * 3_600_000;

/**
 * Ids of tasks that were revoked before their message came. Kept in memory, as Celery's workers do: whoever revokes while no
 * worker runs is not heard either.
 */
export class Revocations {
  readonly #at = new Map<string, number>();

  add(taskId: string): void {
    this.#at.delete(taskId);
    this.#at.set(taskId, Date.now());
    for (const [id, at] of this.#at) {
      if (this.#at.size <= MOST && at > Date.now() - KEPT_MS) break;
      this.#at.delete(id);
    }
  }

  /** @param since looks only for a revocation at this time or later, milliseconds since 1970. */
  has(taskId: string, since = 0): boolean {
    const at = this.#at.get(taskId);
    return at !== undefined && at > Date.now() - KEPT_MS && at >= since;
  }
}
