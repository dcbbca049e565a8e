import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../../store/database.ts';
import { listenToAppends } from '../../store/record/append-listeners.ts';
import { listEventsAfter } from '../../store/record/event-list-after.ts';

/**
 * Pause between reads of the log while anybody watches, in milliseconds. Watchers get events of this process at once; the reads find those
 * of other processes. One indexed query per read serves all watchers. A NOTIFY with each append would be faster, but makes all commits of a
 * Postgres server wait for one lock.
 */
const LOOK_EVERY_MS = 20;

interface Watcher {
  stream: string;
  seen: number;
  tell(event: RecordedEvent): void;
}

/** Passes new events to the watchers of their streams, in order and each once. */
export class EventTail {
  readonly #db: Db;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Passes on the events of a stream after the given seq, until the returned function is called. */
  watch(stream: string, after: number, tell: (event: RecordedEvent) => void): () => void {
    const watcher: Watcher = { stream, seen: after, tell };
    this.#watchers.add(watcher);
    this.#timer ??= setTimeout(() => this.#look(), 0);
    this.#stopListening ??= listenToAppends(this.#db, (events) => {
      // An event that does not directly follow what a watcher has seen waits for the next read, which also finds the events in between.
      for (const event of events) this.#tell(event, ({ seen }) => event.seq === seen + 1);
    });
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      this.#stopListening?.();
      this.#stopListening = undefined;
    };
  }

  async #look(): Promise<void> {
    const from = new Map<string, number>();
    for (const { stream, seen } of this.#watchers) from.set(stream, Math.min(seen, from.get(stream) ?? seen));
    // A stream survives a database that does not respond: the next read may succeed.
    const news = from.size > 0 ? await listEventsAfter(this.#db, from).catch(() => []) : [];
    for (const event of news) this.#tell(event, ({ seen }) => event.seq > seen);
    this.#timer = this.#watchers.size > 0 ? setTimeout(() => this.#look(), LOOK_EVERY_MS) : undefined;
  }

  #tell(event: RecordedEvent, isNews: (watcher: Watcher) => boolean): void {
    for (const watcher of this.#watchers) {
      if (watcher.stream !== event.stream || !isNews(watcher)) continue;
      watcher.seen = event.seq;
      watcher.tell(event);
    }
  }
}
