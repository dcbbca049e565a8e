import { setTimeout as delay } from 'node:timers/promises';
import type { RunView } from '../../../contracts/github/github.ts';
import {
  emptyListing,
  type ListedPage,
  type ListingEvent,
  type Look,
  lookFor,
  type Seen,
  step,
} from '../../../domain/github/run-listing.ts';

/** Reads one page of a repository's runs; undefined if it has not changed since it had this ETag (304). */
export type ReadPage = (page: number, etag: string | undefined) => Promise<ListedPage | undefined>;

/** Reads the run listing of one repository for everybody who follows one of its runs, as {@link step} decides. */
export class RunListing {
  readonly #readPage: ReadPage;
  #state = emptyListing();
  #reading: Promise<void> | undefined;

  constructor(readPage: ReadPage) {
    this.#readPage = readPage;
  }

  /**
   * Looks for a run in the listing, and reads the listing again if it is older than `intervalMs`.
   * @throws the error of the last read. Nobody reads again before `intervalMs` have passed.
   */
  async look(runId: number, seen: Seen, intervalMs: number): Promise<Look> {
    this.#take({ kind: 'followed', at: Date.now(), runId, intervalMs });
    while (this.#state.reading !== undefined) await this.#reading;
    if (this.#state.failure !== undefined) throw this.#state.failure;
    return lookFor(this.#state, runId, seen, intervalMs, Date.now());
  }

  /** Notes what GitHub said about one run. */
  note(view: RunView): void {
    this.#take({ kind: 'told', at: Date.now(), view });
  }

  #take(event: ListingEvent): void {
    const { state, asks } = step(this.#state, event);
    this.#state = state;
    for (const ask of asks) {
      if (ask.kind === 'read') this.#reading = this.#read(ask.page, ask.etag);
      else void this.#rest(ask.ms, ask.readAt);
    }
  }

  async #read(page: number, etag: string | undefined): Promise<void> {
    const event = await this.#readPage(page, etag).then(
      (read) => ({ kind: 'read', page: read }) as const,
      (error: unknown) => ({ kind: 'failed', error }) as const,
    );
    this.#take({ ...event, at: Date.now() });
  }

  async #rest(ms: number, readAt: number): Promise<void> {
    await delay(ms, undefined, { ref: false });
    this.#take({ kind: 'rested', at: Date.now(), readAt });
  }
}
