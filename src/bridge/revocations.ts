/** Celery's own bounds (`celery.worker.state`): the number of ids, and how long they are kept. */
const MOST = 50_000;
const KEPT_MS = 3 * 3_600_000;

/**
 * Ids of tasks that were revoked before their message came. They are in memory, as in Celery's workers: a revocation is lost
 * there too if no worker runs.
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

  /** @param since counts only revocations at this time or later, milliseconds since 1970. */
  has(taskId: string, since = 0): boolean {
    const at = this.#at.get(taskId);
    return at !== undefined && at > Date.now() - KEPT_MS && at >= since;
  }
}
