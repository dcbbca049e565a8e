import type { Db } from '../store/database.ts';
import { SettledLog } from '../store/record/settled-log.ts';
import { listChangedStreams } from '../store/record/stream-list-changed.ts';

/** Pause between reads of the log while anybody watches. A page is refreshed at most once a second. */
const LOOK_EVERY_MS = 1_000;
/** A page whose content changes all the time is refreshed less often, with at most this pause: nobody reads faster. */
const LONGEST_PAUSE_MS = 4_000;
/** How long a read waits for events that are being appended. The next read continues with them. */
const PATIENCE_MS = 500;
/** How often things without events (health, workers, quota) are refreshed. */
const TICK_MS = 5_000;
/** If one read finds more changes than this, everything counts as changed. */
const MOST_CHANGES = 1_000;

/** A topic of a page: `build` or `task` for all of a kind, `build:12` for one, and `tick` for things without events. */
export type Topic = string;

interface Watcher {
  topics: readonly Topic[];
  toldAt: number;
  /** Shortest time until it is notified again. It doubles whenever one notification soon follows another. */
  pauseMs: number;
  /** Whether it must be notified when its pause is over. */
  waits: boolean;
  tell(head: number): void;
}

/** Notifies pages when what they show has changed. One query a second serves all pages. */
export class ChangeWatch {
  readonly #db: Db;
  readonly #log: SettledLog;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  /** All changes up to this position have been read. */
  #reached = 0;

  constructor(db: Db) {
    this.#db = db;
    this.#log = new SettledLog(db);
  }

  /** How many pages are watching. */
  get size(): number {
    return this.#watchers.size;
  }

  /**
   * Calls `tell` when something changes, at most once a second, until the returned function is called.
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

  /** Notifies a page of what happened after it was made and before its first read, or while it was disconnected. */
  async #catchUp(watcher: Watcher, since: number): Promise<void> {
    const listing = listChangedStreams(this.#db, since, Number.MAX_SAFE_INTEGER, MOST_CHANGES);
    // If the database cannot say, the page finds out by itself.
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

  /** Returns the streams with events that no read has seen. It waits for events that become visible after one with a higher position. */
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
