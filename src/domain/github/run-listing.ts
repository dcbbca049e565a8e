import type { ListedRun, RunView } from '../../contracts/github/github.ts';

/** What is known of a run while it is followed. */
export type Seen = Pick<RunView, 'status' | 'run_attempt'>;

/** One page of a repository's runs, newest first. */
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

/** What is known of the runs of one repository. Times are epoch milliseconds. */
export interface ListingState {
  /** What stood on each page when it was read last. */
  pages: Map<number, { etag: string | undefined; last: boolean; runIds: ReadonlySet<number> }>;
  /** Of each run its state, the rotation in which it was last listed or told of, and its page as far as that is known. */
  known: Map<number, Seen & { rotation: number; page: number }>;
  /** Until when each run counts without being looked for again, and the interval of the last look. */
  followed: Map<number, { until: number; intervalMs: number }>;
  /**
   * The rotation in which each run was first looked for. It outlasts the following: of several workers each sees only some of
   * the looks.
   */
  soughtSince: Map<number, number>;
  rotation: number;
  /** The page behind the first that is read next. */
  nextPage: number;
  /** Of the last whole rotation. */
  lastPage: number;
  /** The page that is being read; undefined: none. */
  reading: number | undefined;
  /** When the last reading ended, and what it failed with, if it did. */
  readAt: number;
  failure: unknown;
  /** The pause between two readings: the shortest that one of the followers keeps. */
  intervalMs: number;
}

export type ListingEvent = { at: number } & (
  | { kind: 'followed'; runId: number; intervalMs: number }
  /** GitHub said this of one run. */
  | { kind: 'told'; view: RunView }
  /** The page that was asked for; undefined where it is as it was. */
  | { kind: 'read'; page: ListedPage | undefined }
  | { kind: 'failed'; error: unknown }
  /** The pause that was asked for is over. @param readAt of the reading before it. */
  | { kind: 'rested'; readAt: number }
);

/** What is to be done outside: read a page, unless it still has this ETag; or wait, then say so. */
export type ListingAsk =
  | { kind: 'read'; page: number; etag: string | undefined }
  | { kind: 'rest'; ms: number; readAt: number };

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

export function emptyListing(): ListingState {
  return {
    ...{ pages: new Map(), known: new Map(), followed: new Map(), soughtSince: new Map() },
    ...{ rotation: 0, nextPage: 2, lastPage: 1 },
    ...{ reading: undefined, readAt: Number.NEGATIVE_INFINITY, failure: undefined },
    intervalMs: Number.POSITIVE_INFINITY,
  };
}

/**
 * The runs of one repository, as all who follow one of them share it: at most two pages are read per interval, however
 * many are followed. The newest page is read each time. Where runs are followed that stand further behind, one more page is
 * read, the next in a rotation that goes back as far as the oldest of them: with n pages, what changes behind the first is
 * seen after at most n - 1 intervals. A page that did not change costs nothing (304).
 *
 * It is read while anybody follows a run, looks or no looks: so a run is looked for when its page is due, and not by
 * everybody in every interval.
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

/** What the listing, as it was read last, says to one who follows a run; the run then counts until the next look is due. */
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

/** Takes what GitHub said of one run, unless the listing is ahead of it. */
function take(state: ListingState, view: RunView): void {
  const { run_id, status, run_attempt } = view;
  const known = state.known.get(run_id);
  if (!state.followed.has(run_id) || (known && isBehind(view, known))) return;
  state.known.set(run_id, { status, run_attempt, rotation: state.rotation, page: known?.page ?? 1 });
  if (status !== 'completed') return;
  state.followed.delete(run_id);
  state.soughtSince.delete(run_id);
}

/** Whether what was said of a run is older than what is known: its attempts only grow, and none comes back from its end. */
function isBehind(said: Seen, known: Seen): boolean {
  if (said.run_attempt !== known.run_attempt) return said.run_attempt < known.run_attempt;
  return known.status === 'completed' && said.status !== 'completed';
}

/** How many readings it takes until a page is among them. */
function readsUntil({ nextPage, lastPage }: ListingState, page: number): number {
  if (page === 1) return 1;
  const restOfThisRotation = Math.max(0, lastPage - nextPage + 1);
  return Math.min(page >= nextPage ? page - nextPage + 1 : restOfThisRotation + page - 1, LONGEST_WAIT_READS);
}

/** How long until the last reading is so old; at once where the clock was set back since. */
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

/** Forgets who has not looked for long. */
function forget(state: ListingState, at: number): void {
  state.intervalMs = Number.POSITIVE_INFINITY;
  for (const [runId, { until, intervalMs }] of state.followed) {
    if (until < at) state.followed.delete(runId);
    else state.intervalMs = Math.min(state.intervalMs, intervalMs);
  }
}

/** Takes a page that was read: behind the first goes one more, unless no run that is followed stands further behind. */
function readOn(state: ListingState, read: ListedPage | undefined, at: number): ListingAsk[] {
  const page = state.reading ?? 1;
  const { last, runIds } = takePage(state, page, read);
  const isLast = last || Math.min(...runIds) <= Math.min(...state.followed.keys());
  if (page === 1 && !isLast) return [readPage(state, state.nextPage)];
  if (page > 1) state.nextPage = page + 1;
  if (isLast || page >= MAX_PAGES || (page >= NEAR_PAGES && unlisted(state) <= FEW)) endRotation(state);
  return endReading(state, at, undefined);
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
    // Pushed back by newer runs.
    else if (known.page === page) known.page += 1;
  }
  return taken;
}

/** How many of the runs that are followed were not listed in this rotation yet. */
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
