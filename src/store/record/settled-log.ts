import type { Db } from '../database.ts';
import { findLogEnd, listAppenders } from './log-end.ts';

/** Pause between checks whether a transaction has ended, in milliseconds. Transactions take one or two. */
const APPENDING_MS = 5;

/**
 * Knows up to which position the log is settled: no new event can appear up to there. Positions are taken before the
 * commit, so a lower one can appear after a higher one was read. Those that could still appear belong to transactions that
 * were appending when the higher one was read. Once these have ended, all positions up to it are settled. No time limit
 * decides: a slow transaction delays the end of the log, but no event is skipped.
 */
export class SettledLog {
  readonly #db: Db;
  #visible = 0;
  #settled = 0;
  #next: { end: number; appenders: ReadonlySet<string> } | undefined;
  #running: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /** The last settled position, as of the last look. */
  get end(): number {
    return this.#settled;
  }

  /** The last position that could be read at the last look. */
  get visible(): number {
    return this.#visible;
  }

  /** Whether some appended events are not settled. */
  get isAppending(): boolean {
    return this.#next !== undefined;
  }

  /** Looks at the present log; calls that wait for the next look share it. @throws if the database does not respond. */
  look(): Promise<void> {
    if (this.#queued) return this.#queued;
    // A look that is already running may have read the log before the events that the caller knows of.
    const queued = this.#running
      .catch(() => {})
      .then(() => {
        this.#running = queued;
        this.#queued = undefined;
        return this.#look();
      });
    this.#queued = queued;
    return queued;
  }

  /**
   * Returns the end of the log once everything visible now is settled, or what is settled when the time is over.
   * @throws as {@link look}.
   */
  async settle(timeoutMs: number): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    await this.look();
    const wanted = this.#visible;
    while (this.#settled < Math.min(wanted, this.#visible) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, APPENDING_MS));
      await this.look();
    }
    return this.#settled;
  }

  async #look(): Promise<void> {
    const end = await findLogEnd(this.#db);
    if (end < this.#visible) {
      // The database was set back to an earlier state of itself.
      this.#settled = Math.min(this.#settled, end);
      this.#next = undefined;
    }
    this.#visible = end;
    if (end === this.#settled) return;
    const appending = new Set(await listAppenders(this.#db));
    if (this.#next) {
      const { end: earlier, appenders } = this.#next;
      this.#reduce(earlier, new Set([...appenders].filter((one) => appending.has(one))));
    }
    if (!this.#next) this.#reduce(end, appending);
  }

  #reduce(end: number, appenders: ReadonlySet<string>): void {
    if (appenders.size === 0) this.#settled = end;
    this.#next = appenders.size === 0 ? undefined : { end, appenders };
  }
}
