import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../../store/database.ts';
import { listenToAppends } from '../../store/record/append-listeners.ts';
import { listEventsAfter } from '../../store/record/event-list-after.ts';

/**
 * Pause between reads of the log while anybody watches, milliseconds: what this process appends is told at once, what others append
 * is read. One indexed query per read serves all watchers. A NOTIFY with each append would tell sooner, but makes all commits of a
 * Postgres server wait for one lock.
 */
const LOOK_EVERY_MS = 20;

interface Watcher {
  stream: string;
  seen: number;
  tell(event: RecordedEvent): void;
}

/** Tells watchers of streams about new events, in order and each once. */
export class EventTail {
  readonly #db: Db;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Tells the events of a stream after the given seq, until the returned function is called. */
  watch(stream: string, after: number, tell: (event: RecordedEvent) => void): () => void {
    const watcher: Watcher = { stream, seen: after, tell };
    this.#watchers.add(watcher);
    this.#timer ??= setTimeout(() => this.#look(), 0);
    this.#stopListening ??= listenToAppends(this.#db, (events) => {
      // Those that do not follow what a watcher has seen are left to the next look, which finds what is between.
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
    // A database that is away is no reason to end a stream: the next look may succeed.
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
