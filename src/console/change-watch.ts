import type { Db } from '../store/database.ts';
import { SettledLog } from '../store/record/settled-log.ts';
import { listChangedStreams } from '../store/record/stream-list-changed.ts';

/** Pause between looks at the log while anybody watches: a page is refreshed at most once a second. */
const LOOK_EVERY_MS = 1_000;
/** A page whose content changes all the time is refreshed less often, up to this pause: nobody reads faster. */
const LONGEST_PAUSE_MS = 4_000;
/** Longest that a look waits for what is being appended; the next look goes on with it. */
const PATIENCE_MS = 500;
/** What no event tells (health, workers, quota) is looked at this often. */
const TICK_MS = 5_000;
/** More changes than this within a look count as a change of everything. */
const MOST_CHANGES = 1_000;

/**
 * What a page shows: `build` and `task` are all of a kind, `build:12` is one, and `tick` is what no event tells.
 */
export type Topic = string;

interface Watcher {
  topics: readonly Topic[];
  toldAt: number;
  /** Least time until it is told again. It doubles with each time that it is told soon after the time before. */
  pauseMs: number;
  /** It is to be told when its pause is over. */
  waits: boolean;
  tell(head: number): void;
}

/** Tells pages that what they show has changed. One query a second serves all of them. */
export class ChangeWatch {
  readonly #db: Db;
  readonly #log: SettledLog;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  /** Up to here, all changes were looked at. */
  #reached = 0;

  constructor(db: Db) {
    this.#db = db;
    this.#log = new SettledLog(db);
  }

  /** How many pages are told. */
  get size(): number {
    return this.#watchers.size;
  }

  /**
   * Tells of changes until the returned function is called: at most once a second, however many there are.
   * @param since the position of the log that the page shows.
   */
  watch(topics: readonly Topic[], since: number, tell: (head: number) => void): () => void {
    const watcher: Watcher = { topics, toldAt: Date.now(), pauseMs: 0, waits: false, tell };
    this.#watchers.add(watcher);
    if (this.#timer === undefined) {
      this.#reached = since;
      this.#timer = setTimeout(() => this.#look(), LOOK_EVERY_MS);
    }
    void this.#catchUp(watcher, since);
    return () => this.#watchers.delete(watcher);
  }

  /** Tells of what happened between the making of a page and its first look, or while it was away. */
  async #catchUp(watcher: Watcher, since: number): Promise<void> {
    const listing = listChangedStreams(this.#db, since, Number.MAX_SAFE_INTEGER, MOST_CHANGES);
    // Where the database cannot say, the page finds out by itself.
    const found = await listing.catch(() => undefined);
    const isConcerned =
      !found || found.length === MOST_CHANGES || found.some(({ stream }) => concerns(watcher.topics, stream));
    if (isConcerned && this.#watchers.has(watcher)) watcher.tell(found?.at(-1)?.position ?? since);
  }

  async #look(): Promise<void> {
    const streams = await this.#changed().catch(() => [] as string[]);
    const now = Date.now();
    for (const watcher of this.#watchers) {
      const sinceToldMs = now - watcher.toldAt;
      const ticks = watcher.topics.includes('tick') && sinceToldMs >= TICK_MS;
      watcher.waits ||= ticks || streams.some((stream) => concerns(watcher.topics, stream));
      if (!watcher.waits || sinceToldMs < watcher.pauseMs) continue;
      const isSoon = sinceToldMs < LONGEST_PAUSE_MS + LOOK_EVERY_MS;
      watcher.pauseMs = isSoon ? Math.min(Math.max(2 * watcher.pauseMs, LOOK_EVERY_MS), LONGEST_PAUSE_MS) : 0;
      watcher.waits = false;
      watcher.toldAt = now;
      watcher.tell(this.#reached);
    }
    this.#timer = this.#watchers.size > 0 ? setTimeout(() => this.#look(), LOOK_EVERY_MS) : undefined;
    this.#timer?.unref();
  }

  /** Streams with events that no look has seen. An event that becomes visible after one with a higher position is waited for. */
  async #changed(): Promise<string[]> {
    const end = await this.#log.settle(PATIENCE_MS);
    const found = await listChangedStreams(this.#db, this.#reached, end, MOST_CHANGES);
    this.#reached = end;
    return found.length === MOST_CHANGES ? [EVERYTHING] : [...new Set(found.map(({ stream }) => stream))];
  }
}

const EVERYTHING = '*';

function concerns(topics: readonly Topic[], stream: string): boolean {
  return topics.some((topic) => stream === EVERYTHING || stream === topic || stream.startsWith(`${topic}:`));
}
