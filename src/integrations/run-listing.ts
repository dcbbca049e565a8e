import type { ListedRun, RunView } from '../contracts/github.ts';

/** What is known of a run while it is followed. */
export type Seen = Pick<RunView, 'status' | 'run_attempt'>;

/** One page of a repository's runs, newest first; undefined where it is as it was when it had this ETag (304). */
export type ReadPage = (page: number, etag: string | undefined) => Promise<ListedPage | undefined>;
export interface ListedPage {
  etag: string | undefined;
  runs: ListedRun[];
}

/** What a look at the listing says of one run. */
export interface Look {
  /** Ask GitHub about the run: the listing shows another state than was seen, or does not show the run at all. */
  doubtful: boolean;
  /** When the listing is read again at the earliest, milliseconds from now. */
  staleInMs: number;
}

interface Known extends Seen {
  /** Number of the rotation in which the run was last listed or asked about. */
  rotation: number;
}

/** Runs on a page. */
export const PAGE = 100;
/** No rotation goes further: 10,000 runs. Where GitHub ends its listing earlier, so does the rotation. */
const MAX_PAGES = 100;
/** Behind this page few runs are not looked for: an old one that was run again would have everybody wait for it. */
const NEAR_PAGES = 10;
const FEW = 10;

/**
 * The runs of one repository, as all who follow one of them share it: at most two pages are read per interval, however
 * many are followed. The newest page is read each time. Where runs are followed that stand further behind, one more page is
 * read, the next in a rotation that goes back as far as the oldest of them: with n pages, what changes behind the first is
 * seen after at most n - 1 intervals. A page that did not change costs nothing (304).
 */
export class RunListing {
  readonly #readPage: ReadPage;
  readonly #pages = new Map<number, { etag: string | undefined; runIds: number[] }>();
  readonly #known = new Map<number, Known>();
  /** Runs that are asked about: in which rotation first, and until when they count without being asked about again. */
  readonly #followed = new Map<number, { since: number; until: number }>();
  #rotation = 0;
  #nextPage = 2;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #failure: unknown;

  constructor(readPage: ReadPage) {
    this.#readPage = readPage;
  }

  /**
   * Looks for a run in the listing, read again if it is older than `maxAgeMs`.
   * @throws what the last reading failed with; nobody reads again before `maxAgeMs` have passed.
   */
  async look(runId: number, seen: Seen, maxAgeMs: number): Promise<Look> {
    const followed = this.#followed.get(runId) ?? { since: this.#rotation, until: 0 };
    followed.until = Date.now() + 3 * maxAgeMs;
    this.#followed.set(runId, followed);
    await this.#refresh(maxAgeMs);
    const staleInMs = Math.max(0, this.#readAt + maxAgeMs - Date.now());
    const known = this.#known.get(runId);
    // The last whole rotation is the one before this.
    const listed = known !== undefined && known.rotation >= this.#rotation - 1;
    if (!listed) return { doubtful: followed.since < this.#rotation - 1, staleInMs };
    return { doubtful: known.status !== seen.status || known.run_attempt !== seen.run_attempt, staleInMs };
  }

  /** Takes what GitHub said of one run, which is newer than any listing. */
  note({ run_id, status, run_attempt }: RunView): void {
    if (this.#followed.has(run_id)) this.#known.set(run_id, { status, run_attempt, rotation: this.#rotation });
  }

  async #refresh(maxAgeMs: number): Promise<void> {
    if (!this.#reading && Date.now() - this.#readAt >= maxAgeMs) {
      this.#reading = this.#read()
        .then(
          () => (this.#failure = undefined),
          (error: unknown) => (this.#failure = error),
        )
        .then(() => {
          this.#readAt = Date.now();
          this.#reading = undefined;
        });
    }
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #read(): Promise<void> {
    for (const [runId, { until }] of this.#followed) if (until < Date.now()) this.#followed.delete(runId);
    const oldest = Math.min(...this.#followed.keys());
    const isLast = ({ runIds }: { runIds: number[] }) => runIds.length < PAGE || Math.min(...runIds) <= oldest;
    if (isLast(await this.#take(1))) return this.#endRotation();
    const behind = await this.#take(this.#nextPage);
    const page = this.#nextPage++;
    const far = page >= MAX_PAGES || (page >= NEAR_PAGES && this.#unlisted() <= FEW);
    if (isLast(behind) || far) this.#endRotation();
  }

  /** How many of the runs that are followed were not listed in this rotation yet. */
  #unlisted(): number {
    return [...this.#followed.keys()].filter((runId) => this.#known.get(runId)?.rotation !== this.#rotation).length;
  }

  /** Reads a page, if it has changed, and takes what it lists. */
  async #take(page: number): Promise<{ runIds: number[] }> {
    const before = this.#pages.get(page);
    const read = await this.#readPage(page, before?.etag);
    if (!read && before) {
      for (const runId of before.runIds) {
        const known = this.#known.get(runId);
        if (known) known.rotation = this.#rotation;
      }
      return before;
    }
    const { etag, runs } = read ?? { etag: undefined, runs: [] };
    for (const { run_id, status, run_attempt } of runs) {
      this.#known.set(run_id, { status, run_attempt, rotation: this.#rotation });
    }
    const taken = { etag, runIds: runs.map(({ run_id }) => run_id) };
    this.#pages.set(page, taken);
    return taken;
  }

  #endRotation(): void {
    for (const [runId, { rotation }] of this.#known) if (rotation < this.#rotation) this.#known.delete(runId);
    for (const page of this.#pages.keys()) if (page >= this.#nextPage) this.#pages.delete(page);
    this.#nextPage = 2;
    this.#rotation += 1;
  }
}
