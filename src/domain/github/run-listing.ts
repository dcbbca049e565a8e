import type { ListedRun, RunView } from '../../contracts/github/github.ts';

/** The state of a run that a build follows. */
export type Seen = Pick<RunView, 'status' | 'run_attempt'>;

/** One page of a repository's runs, newest first. */
export interface ListedPage {
  etag: string | undefined;
  runs: ListedRun[];
  /** Whether no page follows. */
  last: boolean;
}

/** The result of a look at the listing for one run. */
export interface Look {
  /** Whether to ask GitHub about the run: the listing shows another state than was seen, or does not show the run at all. */
  doubtful: boolean;
  /** The shortest time until the listing can say more about it, in milliseconds. */
  staleInMs: number;
}

/** The known state of one repository's runs. Times are epoch milliseconds. */
export interface ListingState {
  /** The content of each page when it was last read. */
  pages: Map<number, { etag: string | undefined; last: boolean; runIds: ReadonlySet<number> }>;
  /** The state of each run, the rotation in which it was last listed or reported, and its page, as far as known. */
  known: Map<number, Seen & { rotation: number; page: number }>;
  /** How long each run counts as followed without another look, and the interval of the last look. */
  followed: Map<number, { until: number; intervalMs: number }>;
  /**
   * The rotation in which each run was first looked for. It outlasts `followed`, because each of several workers sees only some of
   * the looks.
   */
  soughtSince: Map<number, number>;
  rotation: number;
  /** The page after the first that is read next. */
  nextPage: number;
  /** The last page of the last whole rotation. */
  lastPage: number;
  /** The page that is being read; undefined if none is. */
  reading: number | undefined;
  /** When the last read ended, and its error, if it failed. */
  readAt: number;
  failure: unknown;
  /** The pause between two reads: the shortest interval of all followers. */
  intervalMs: number;
}

export type ListingEvent = { at: number } & (
  | { kind: 'followed'; runId: number; intervalMs: number }
  /** GitHub reported this about one run. */
  | { kind: 'told'; view: RunView }
  /** The requested page; undefined if it did not change. */
  | { kind: 'read'; page: ListedPage | undefined }
  | { kind: 'failed'; error: unknown }
  /** The requested pause is over. @param readAt when the read before it ended. */
  | { kind: 'rested'; readAt: number }
);

/** A request to the caller: read a page, unless it still has this ETag; or wait, then send `rested`. */
export type ListingAsk =
  | { kind: 'read'; page: number; etag: string | undefined }
  | { kind: 'rest'; ms: number; readAt: number };

/** How many runs a page has. */
export const PAGE = 100;
/** The last page of any rotation: 10,000 runs. If GitHub's listing ends earlier, so does the rotation. */
const MAX_PAGES = 100;
/** From this page on, a rotation ends if only a few runs are missing. Otherwise everybody would wait for an old run that was run again. */
const NEAR_PAGES = 10;
const FEW = 10;
/** How many rotations after its first look a run counts as never looked for. */
const REMEMBERED_ROTATIONS = 100;
/** The longest wait for a page, in reads. If runs further back end, the page is read sooner than expected. */
const LONGEST_WAIT_READS = 10;

export function emptyListing(): ListingState {
  return {
    ...{ pages: new Map(), known: new Map(), followed: new Map(), soughtSince: new Map() },
    ...{ rotation: 0, nextPage: 2, lastPage: 1 },
    ...{ reading: undefined, readAt: Number.NEGATIVE_INFINITY, failure: undefined },
    intervalMs: Number.POSITIVE_INFINITY,
  };
}

/**
 * Advances the listing of one repository's runs, which all who follow one of them share. It reads at most two pages per interval,
 * however many runs are followed. It reads the newest page each time. If followed runs are further back, it reads one more page: the
 * next in a rotation that goes back as far as the oldest of them. With n pages, a change behind the first is seen after at most n - 1
 * intervals. A page that did not change costs nothing (304).
 *
 * It reads while anybody follows a run, whether or not they look. So a run is looked for when its page is due, and not by everybody
 * in every interval.
 *
 * @param state is used up: go on with the one that is returned.
 */
export function step(state: ListingState, event: ListingEvent): { state: ListingState; asks: ListingAsk[] } {
  switch (event.kind) {
    case 'followed': {
      const { runId, intervalMs, at } = event;
      if (!state.soughtSince.has(runId)) state.soughtSince.set(runId, state.rotation);
      state.followed.set(runId, { until: at + 3 * intervalMs, intervalMs });
      state.intervalMs = Math.min(state.intervalMs, intervalMs);
      return { state, asks: dueIn(state, intervalMs, at) === 0 ? beginReading(state, at) : [] };
    }
    case 'told':
      take(state, event.view);
      return { state, asks: [] };
    case 'read':
      return { state, asks: readOn(state, event.page, event.at) };
    case 'failed':
      return { state, asks: endReading(state, event.at, event.error) };
    case 'rested':
      forget(state, event.at);
      return {
        state,
        asks: state.readAt === event.readAt && state.followed.size > 0 ? beginReading(state, event.at) : [],
      };
    default:
      return event satisfies never;
  }
}

/** Returns what the listing, as last read, says about a followed run. The run then counts as followed until the next look is due. */
export function lookFor(state: ListingState, runId: number, seen: Seen, intervalMs: number, at: number): Look {
  const known = state.known.get(runId);
  // The last whole rotation is the one before this.
  const wholeRotation = state.rotation - 1;
  if (!known || known.rotation < wholeRotation) {
    const soughtSince = state.soughtSince.get(runId) ?? state.rotation;
    return { doubtful: soughtSince < wholeRotation, staleInMs: dueIn(state, intervalMs, at) };
  }
  const staleInMs = dueIn(state, Math.max(intervalMs, readsUntil(state, known.page) * state.intervalMs), at);
  const followed = state.followed.get(runId);
  if (followed) followed.until += staleInMs;
  return { doubtful: known.status !== seen.status || known.run_attempt !== seen.run_attempt, staleInMs };
}

/** Takes GitHub's report about one run, unless the listing is ahead of it. */
function take(state: ListingState, view: RunView): void {
  const { run_id, status, run_attempt } = view;
  const known = state.known.get(run_id);
  if (!state.followed.has(run_id) || (known && isBehind(view, known))) return;
  state.known.set(run_id, { status, run_attempt, rotation: state.rotation, page: known?.page ?? 1 });
  if (status !== 'completed') return;
  state.followed.delete(run_id);
  state.soughtSince.delete(run_id);
}

/** Says whether a report about a run is older than the known state. Attempts only grow, and none comes back from its end. */
function isBehind(said: Seen, known: Seen): boolean {
  if (said.run_attempt !== known.run_attempt) return said.run_attempt < known.run_attempt;
  return known.status === 'completed' && said.status !== 'completed';
}

/** Returns how many reads it takes until a page is among them. */
function readsUntil({ nextPage, lastPage }: ListingState, page: number): number {
  if (page === 1) return 1;
  const restOfThisRotation = Math.max(0, lastPage - nextPage + 1);
  return Math.min(page >= nextPage ? page - nextPage + 1 : restOfThisRotation + page - 1, LONGEST_WAIT_READS);
}

/** Returns how long it takes until the last read is this old; 0 if the clock was set back since. */
function dueIn({ readAt }: ListingState, ageMs: number, at: number): number {
  const age = at - readAt;
  return age < 0 ? 0 : Math.max(0, ageMs - age);
}

function beginReading(state: ListingState, at: number): ListingAsk[] {
  if (state.reading !== undefined) return [];
  forget(state, at);
  return [readPage(state, 1)];
}

function readPage(state: ListingState, page: number): ListingAsk {
  state.reading = page;
  return { kind: 'read', page, etag: state.pages.get(page)?.etag };
}

/** Forgets runs that nobody has looked for in a long time. */
function forget(state: ListingState, at: number): void {
  state.intervalMs = Number.POSITIVE_INFINITY;
  for (const [runId, { until, intervalMs }] of state.followed) {
    if (until < at) state.followed.delete(runId);
    else state.intervalMs = Math.min(state.intervalMs, intervalMs);
  }
}

/** Takes a page that was read. After the first, requests one more, unless no followed run is further back. */
function readOn(state: ListingState, read: ListedPage | undefined, at: number): ListingAsk[] {
  const page = state.reading ?? 1;
  const { last, runIds } = takePage(state, page, read);
  const isLast = last || oldest(runIds) <= oldest(state.followed.keys());
  if (page === 1 && !isLast) return [readPage(state, state.nextPage)];
  if (page > 1) state.nextPage = page + 1;
  if (isLast || page >= MAX_PAGES || (page >= NEAR_PAGES && unlisted(state) <= FEW)) endRotation(state);
  return endReading(state, at, undefined);
}

/** Returns the smallest number. More than 100,000 arguments of `Math.min` would overflow the stack. */
function oldest(runIds: Iterable<number>): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (const id of runIds) if (id < smallest) smallest = id;
  return smallest;
}

function takePage(state: ListingState, page: number, read: ListedPage | undefined) {
  for (const { run_id, status, run_attempt } of read?.runs ?? []) {
    state.known.set(run_id, { status, run_attempt, rotation: state.rotation, page });
  }
  const taken = read
    ? { etag: read.etag, last: read.last, runIds: new Set(read.runs.map(({ run_id }) => run_id)) }
    : (state.pages.get(page) ?? { etag: undefined, last: true, runIds: new Set<number>() });
  state.pages.set(page, taken);
  for (const [runId, known] of state.known) {
    if (taken.runIds.has(runId)) Object.assign(known, { rotation: state.rotation, page });
    // Newer runs pushed it back.
    else if (known.page === page) known.page += 1;
  }
  return taken;
}

/** Returns how many followed runs were not listed in this rotation yet. */
function unlisted({ followed, known, rotation }: ListingState): number {
  return [...followed.keys()].filter((runId) => known.get(runId)?.rotation !== rotation).length;
}

function endRotation(state: ListingState): void {
  for (const [runId, { rotation }] of state.known) if (rotation < state.rotation) state.known.delete(runId);
  for (const [runId, rotation] of state.soughtSince) {
    if (rotation < state.rotation - REMEMBERED_ROTATIONS) state.soughtSince.delete(runId);
  }
  for (const page of state.pages.keys()) if (page >= state.nextPage) state.pages.delete(page);
  state.lastPage = state.nextPage - 1;
  state.nextPage = 2;
  state.rotation += 1;
}

function endReading(state: ListingState, at: number, failure: unknown): ListingAsk[] {
  state.reading = undefined;
  state.readAt = at;
  state.failure = failure;
  return [{ kind: 'rest', ms: state.intervalMs, readAt: at }];
}
