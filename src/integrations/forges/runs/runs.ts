import type { FailedJob } from '../../../contracts/builds/failed-job.ts';
import type { Finding, ListedRun, RunView } from '../../../contracts/github/github.ts';
import { findRuns, type Listing, type Sought } from '../../../domain/github/find-runs.ts';
import type { Seen } from '../../../domain/github/run-listing.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';
import type { ListedArtifacts } from './artifacts.ts';
import { seesRuns } from './read-runs.ts';
import { RunListing } from './run-listing.ts';

/** The most pages that one search reads. The run of an ambiguous dispatch is among the newest. */
const MAX_PAGES = 10;
/** Those who wait for the same listing look at it within this time after it is due. */
const LONGEST_SPREAD_MS = 1_000;
/** Allowance for differences between the clocks of Temporal, the API and GitHub. */
const CLOCK_SKEW_MS = 600_000;

/** Reads runs from a forge. */
export class Runs {
  readonly #requests: PacedRequests;
  readonly #dialect: Dialect;
  readonly #now: () => number;
  readonly #listings = new Map<string, RunListing>();

  /** @param now returns the time of the forge's clock in epoch milliseconds. */
  constructor(requests: PacedRequests, dialect: Dialect, now: () => number) {
    this.#requests = requests;
    this.#dialect = dialect;
    this.#now = now;
  }

  /** Returns the run as it is now. @throws {ForgeError} */
  async read(repository: string, runId: number, seen?: Seen): Promise<RunView> {
    const read = await this.#dialect.readRun(this.#requests, { repository, run_id: runId }, seen);
    this.#listings.get(repository)?.note(read);
    return read;
  }

  /**
   * Reads every recent run of the repository, page by page, and looks for the tokens. See domain/github/find-runs.
   * @param ageMs how long ago `since` is: GitHub's clock may differ from the clock of `since`.
   */
  async find(repository: string, sought: Sought, ageMs: number): Promise<Finding> {
    const { since, ...listing } = await this.list(repository, ageMs);
    return findRuns(listing, { ...sought, since });
  }

  /**
   * Reads the runs of a repository back to a time, page by page, newest first.
   * @param ageMs how long ago that time is. The result has it by the forge's clock, minus an allowance.
   */
  async list(repository: string, ageMs: number): Promise<Listing & { since: string }> {
    const listed: ListedRun[] = [];
    let since = '';
    let complete = false;
    for (let page = 1; page <= MAX_PAGES && !complete; page++) {
      const { runs, last } = (await this.#dialect.readRunPage(this.#requests, repository, page))!;
      if (page === 1) since = new Date(this.#now() - ageMs - CLOCK_SKEW_MS).toISOString();
      listed.push(...runs);
      const oldest = runs.at(-1)?.created_at;
      complete = last || (oldest !== undefined && oldest < since);
    }
    return { runs: listed, complete, since };
  }

  /**
   * Returns the run if it differs from what was seen, as GitHub confirms. Otherwise, returns when to look again, and whether GitHub was
   * asked. All callers for one repository share its listing, which is read at most every `maxAgeMs` ({@link RunListing}). Without ETags,
   * each run is read separately.
   */
  async changed(
    repository: string,
    runId: number,
    seen: Seen,
    maxAgeMs: number,
  ): Promise<{ view: RunView } | { lookAgainMs: number; asked: boolean }> {
    // The listing may be older than a run that nobody has seen yet.
    if (seen.run_attempt === 0) return { view: await this.read(repository, runId) };
    if (!this.#dialect.capabilities.etags) return this.#readIfChanged(repository, runId, seen, maxAgeMs);
    const { doubtful, staleInMs } = await this.#listingOf(repository).look(runId, seen, maxAgeMs);
    const view = doubtful ? await this.read(repository, runId) : undefined;
    if (view && this.#isChange(view, seen)) return { view };
    // Soon after the listing is due, but not everybody at once.
    const lookAgainMs = staleInMs + Math.random() * Math.min(LONGEST_SPREAD_MS, maxAgeMs / 4);
    return { lookAgainMs, asked: doubtful };
  }

  async #readIfChanged(repository: string, runId: number, seen: Seen, maxAgeMs: number) {
    const view = await this.read(repository, runId, seen);
    if (this.#isChange(view, seen)) return { view };
    return { lookAgainMs: maxAgeMs + Math.random() * Math.min(LONGEST_SPREAD_MS, maxAgeMs / 4), asked: true };
  }

  /** A forge that is behind may still show an attempt from before the one that was seen. */
  #isChange(view: RunView, seen: Seen): boolean {
    if (this.#dialect.capabilities.attempts && view.run_attempt < seen.run_attempt) return false;
    return view.status !== seen.status || view.run_attempt !== seen.run_attempt;
  }

  /** See {@link Dialect.readFailedJobs}. @throws {ForgeError} */
  failedJobs(repository: string, runId: number, attempt: number): Promise<FailedJob[]> {
    return this.#dialect.readFailedJobs(this.#requests, { repository, run_id: runId }, attempt);
  }

  /** See {@link Dialect.readArtifacts}. @throws {ForgeError} */
  artifacts(repository: string, runId: number): Promise<ListedArtifacts> {
    return this.#dialect.readArtifacts(this.#requests, { repository, run_id: runId });
  }

  /** See {@link Dialect.readAttestations}. @throws {ForgeError} */
  attestations(repository: string, digest: string): Promise<unknown[]> {
    return this.#dialect.readAttestations(this.#requests, repository, digest);
  }

  /** Says whether GitHub shows the runs of a repository. @throws {ForgeError} if it does not say. */
  sees(repository: string): Promise<boolean> {
    return seesRuns(this.#requests, repository);
  }

  #listingOf(repository: string): RunListing {
    const known = this.#listings.get(repository);
    const listing =
      known ?? new RunListing((page, etag) => this.#dialect.readRunPage(this.#requests, repository, page, etag));
    this.#listings.set(repository, listing);
    return listing;
  }
}
