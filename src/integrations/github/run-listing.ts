import { setTimeout as delay } from 'node:timers/promises';
import type { ListedRun, RunView } from '../../contracts/github/github.ts';

/** What is known of a run while it is followed. */
export type Seen = Pick<RunView, 'status' | 'run_attempt'>;

/** One page of a repository's runs, newest first; undefined where it is as it was when it had this ETag (304). */
export type ReadPage = (page: number, etag: string | undefined) => Promise<ListedPage | undefined>;
export interface ListedPage {
  etag: string | undefined;
  runs: ListedRun[];
  /** No page follows. */
  last: boolean;
}

/** What a look at the listing says of one run. */
export interface Look {
  /** Ask GitHub about the run: the listing shows another state than was seen, or does not show the run at all. */
  doubtful: boolean;
  /** When the listing can say more of it at the earliest, milliseconds from now. */
  staleInMs: number;
}

interface ListedIds {
  etag: string | undefined;
  last: boolean;
  runIds: ReadonlySet<number>;
}

interface Known extends Seen {
  /** Number of the rotation in which the run was last listed or asked about. */
  rotation: number;
  /** Where it is listed, as far as the pages that were read tell. */
  page: number;
}

interface Followed {
  /** Until when it counts without being asked about again. */
  until: number;
  intervalMs: number;
}

/** Runs on a page. */
export const PAGE = 100;
/** No rotation goes further: 10,000 runs. Where GitHub ends its listing earlier, so does the rotation. */
const MAX_PAGES = 100;
/** Behind this page few runs are not looked for: an old one that was run again would have everybody wait for it. */
const NEAR_PAGES = 10;
const FEW = 10;
/** So many rotations after a run was first looked for it counts as never looked for. */
const REMEMBERED_ROTATIONS = 100;
/** Nobody waits longer for a page: where those further behind end, it is read sooner than was to be expected. */
const LONGEST_WAIT_READS = 10;

/**
 * The runs of one repository, as all who follow one of them share it: at most two pages are read per interval, however
 * many are followed. The newest page is read each time. Where runs are followed that stand further behind, one more page is
 * read, the next in a rotation that goes back as far as the oldest of them: with n pages, what changes behind the first is
 * seen after at most n - 1 intervals. A page that did not change costs nothing (304).
 *
 * It is read while anybody follows a run, looks or no looks: so a run is looked for when its page is due, and not by
 * everybody in every interval.
 */
export class RunListing {
  readonly #readPage: ReadPage;
  readonly #pages = new Map<number, ListedIds>();
  readonly #known = new Map<number, Known>();
  readonly #followed = new Map<number, Followed>();
  /**
   * The rotation in which each run was first looked for. It outlasts the following: of several workers each sees only some of
   * the looks.
   */
  readonly #soughtSince = new Map<number, number>();
  #rotation = 0;
  #nextPage = 2;
  /** Of the last whole rotation. */
  #lastPage = 1;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #failure: unknown;
  /** The pause between two readings: the shortest that one of the followers keeps. */
  #intervalMs = Number.POSITIVE_INFINITY;

  constructor(readPage: ReadPage) {
    this.#readPage = readPage;
  }

  /**
   * Looks for a run in the listing, read again if it is older than `intervalMs`.
   * @throws what the last reading failed with; nobody reads again before `intervalMs` have passed.
   */
  async look(runId: number, seen: Seen, intervalMs: number): Promise<Look> {
    const soughtSince = this.#soughtSince.get(runId) ?? this.#rotation;
    this.#soughtSince.set(runId, soughtSince);
    const followed = { until: Date.now() + 3 * intervalMs, intervalMs };
    this.#followed.set(runId, followed);
    this.#intervalMs = Math.min(this.#intervalMs, intervalMs);
    await this.#refresh(intervalMs);
    const known = this.#known.get(runId);
    // The last whole rotation is the one before this.
    if (!known || known.rotation < this.#rotation - 1) {
      return { doubtful: soughtSince < this.#rotation - 1, staleInMs: this.#dueIn(intervalMs) };
    }
    const waitMs = Math.max(intervalMs, this.#readsUntil(known) * this.#intervalMs);
    const staleInMs = this.#dueIn(waitMs);
    followed.until += staleInMs;
    return { doubtful: known.status !== seen.status || known.run_attempt !== seen.run_attempt, staleInMs };
  }

  /** Takes what GitHub said of one run, unless the listing is ahead of it. */
  note(view: RunView): void {
    const { run_id, status, run_attempt } = view;
    const known = this.#known.get(run_id);
    if (!this.#followed.has(run_id) || (known && isBehind(view, known))) return;
    this.#known.set(run_id, { status, run_attempt, rotation: this.#rotation, page: known?.page ?? 1 });
    if (status !== 'completed') return;
    this.#followed.delete(run_id);
    this.#soughtSince.delete(run_id);
  }

  /** How many readings it takes until the page of a run is among them. */
  #readsUntil({ page }: Known): number {
    if (page === 1) return 1;
    const restOfThisRotation = Math.max(0, this.#lastPage - this.#nextPage + 1);
    const reads = page >= this.#nextPage ? page - this.#nextPage + 1 : restOfThisRotation + page - 1;
    return Math.min(reads, LONGEST_WAIT_READS);
  }

  /** How long until the last reading is so old; at once where the clock was set back since. */
  #dueIn(ageMs: number): number {
    const age = Date.now() - this.#readAt;
    return age < 0 ? 0 : Math.max(0, ageMs - age);
  }

  async #refresh(intervalMs: number): Promise<void> {
    if (this.#dueIn(intervalMs) === 0) this.#beginReading();
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #beginReading(): void {
    this.#reading ??= this.#read()
      .then(
        () => (this.#failure = undefined),
        (error: unknown) => (this.#failure = error),
      )
      .then(() => {
        this.#readAt = Date.now();
        this.#reading = undefined;
        void this.#readOn(this.#readAt);
      });
  }

  /** Reads again after the interval, unless somebody has meanwhile, or nobody follows a run any more. */
  async #readOn(readAt: number): Promise<void> {
    await delay(this.#intervalMs, undefined, { ref: false });
    this.#forget();
    if (this.#readAt === readAt && this.#followed.size > 0) this.#beginReading();
  }

  #forget(): void {
    this.#intervalMs = Number.POSITIVE_INFINITY;
    for (const [runId, { until, intervalMs }] of this.#followed) {
      if (until < Date.now()) this.#followed.delete(runId);
      else this.#intervalMs = Math.min(this.#intervalMs, intervalMs);
    }
  }

  async #read(): Promise<void> {
    this.#forget();
    const oldest = Math.min(...this.#followed.keys());
    const isLast = ({ last, runIds }: ListedIds) => last || Math.min(...runIds) <= oldest;
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
  async #take(page: number): Promise<ListedIds> {
    const before = this.#pages.get(page);
    const read = await this.#readPage(page, before?.etag);
    for (const { run_id, status, run_attempt } of read?.runs ?? []) {
      this.#known.set(run_id, { status, run_attempt, rotation: this.#rotation, page });
    }
    const taken = read
      ? { etag: read.etag, last: read.last, runIds: new Set(read.runs.map(({ run_id }) => run_id)) }
      : (before ?? { etag: undefined, last: true, runIds: new Set<number>() });
    this.#pages.set(page, taken);
    for (const [runId, known] of this.#known) {
      if (taken.runIds.has(runId)) Object.assign(known, { rotation: this.#rotation, page });
      // Pushed back by newer runs.
      else if (known.page === page) known.page += 1;
    }
    return taken;
  }

  #endRotation(): void {
    for (const [runId, { rotation }] of this.#known) if (rotation < this.#rotation) this.#known.delete(runId);
    for (const [runId, rotation] of this.#soughtSince) {
      if (rotation < this.#rotation - REMEMBERED_ROTATIONS) this.#soughtSince.delete(runId);
    }
    for (const page of this.#pages.keys()) if (page >= this.#nextPage) this.#pages.delete(page);
    this.#lastPage = this.#nextPage - 1;
    this.#nextPage = 2;
    this.#rotation += 1;
  }
}

/** Whether what was said of a run is older than what is known: its attempts only grow, and none comes back from its end. */
function isBehind(said: Seen, known: Seen): boolean {
  if (said.run_attempt !== known.run_attempt) return said.run_attempt < known.run_attempt;
  return known.status === 'completed' && said.status !== 'completed';
}
