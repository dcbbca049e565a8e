import { LIMITS } from '../../contracts/budgets.ts';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { FeedEvent } from '../../contracts/event-feed.ts';
import { ERASURES } from '../../domain/record/erased.ts';
import { eventViewOf } from '../../domain/record/event-view.ts';
import type { Db } from '../database.ts';
import { type EventFilter, type EventPage, listEventsByPosition } from './event-list-by-position.ts';
import { SettledLog } from './settled-log.ts';
import { streamHeads } from './stream-heads.ts';

/**
 * Pause between polls of the log while anybody listens, in milliseconds. A poll without news is one probe of an index; ten
 * a second cost less than 1 % of a core.
 */
const LOOK_EVERY_MS = 100;
/** The same while something is being appended. */
const APPENDING_MS = 10;
/** How long a page waits at most for events that are being appended, in milliseconds. */
const PATIENCE_MS = 1_000;

const { pageEntries } = LIMITS.requests;
const { recentEvents, recentCharacters, batchCharacters, pageCharacters, pagePositions } = LIMITS.streams;

/** An event of the feed, ready to send. It is serialized once, however many listen. */
export interface FedEvent {
  position: number;
  stream: string;
  type: string;
  /** JSON of a {@link FeedEvent}. */
  json: string;
}

/** What a listener gets in one piece. */
export interface Batch {
  events: FedEvent[];
  /** The position to go on from. */
  reached: number;
}

/**
 * Gives all events, in order of position, to any number of listeners. One tail reads the log for all and keeps recent
 * events. Listeners that are further behind read pages. A listener pulls, so nothing piles up for one that does not read.
 */
export class EventFeed {
  readonly #db: Db;
  readonly #log: SettledLog;
  readonly #waiting = new Set<() => void>();
  #listeners = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The events in memory: all after `#from` up to `#to`. */
  #recent: FedEvent[] = [];
  #characters = 0;
  #from = 0;
  #to = 0;

  constructor(db: Db) {
    this.#db = db;
    this.#log = new SettledLog(db);
  }

  /** Returns the end of the log: everything up to it can be read. @throws if the database does not respond. */
  end(): Promise<number> {
    return this.#log.settle(PATIENCE_MS);
  }

  /** Reads a page of events after a position, and says whether it reaches the end. @throws if the database does not respond. */
  async page(after: number | 'latest', filter: EventFilter, limit: number): Promise<EventPage & { atEnd: boolean }> {
    const end = await this.end();
    // A client may be ahead of a record that was set back.
    const from = after === 'latest' ? end : Math.min(after, Math.max(end, this.#log.visible));
    const page = await this.#read(from, end, filter, { limit, characters: pageCharacters });
    return { ...page, atEnd: page.reached >= end };
  }

  /** Keeps the tail running until the returned function is called. */
  listen(): () => void {
    this.#listeners++;
    this.#timer ??= setTimeout(() => this.#look(), 0);
    return () => {
      this.#listeners--;
    };
  }

  /** Returns the events after a position; empty if there are none yet. @throws if the database does not respond. */
  async next(after: number, filter: EventFilter): Promise<Batch> {
    // Only a look from now on can say that the record was set back: the last one may be old, and a new process had none.
    if (after > this.#log.visible) await this.#log.look();
    if (after > this.#log.visible) return { events: [], reached: this.#log.visible };
    if (after >= this.#from && this.#to > this.#from) return this.#nextOfRecent(after, filter);
    const { events, reached } = await this.#read(after, this.#log.end, filter, {
      limit: pageEntries,
      characters: batchCharacters,
    });
    return { events: events.map(fedEventOf), reached };
  }

  /** Resolves when there may be events after a position, or when the signal is aborted. */
  news(after: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const isNew = () => this.#to > after || this.#log.visible < after;
      if (signal.aborted || isNew()) return resolve();
      const done = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const wake = () => {
        if (isNew()) done();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #nextOfRecent(after: number, filter: EventFilter): Batch {
    const events: FedEvent[] = [];
    let characters = 0;
    for (let n = firstAfter(this.#recent, after); n < this.#recent.length; n++) {
      const event = this.#recent[n]!;
      if (!matches(event, filter)) continue;
      characters += event.json.length;
      if (events.length > 0 && characters > batchCharacters) return { events, reached: events.at(-1)!.position };
      events.push(event);
    }
    return { events, reached: Math.max(after, this.#to) };
  }

  #read(
    after: number,
    until: number,
    filter: EventFilter,
    most: { limit: number; characters: number },
  ): Promise<EventPage> {
    return listEventsByPosition(this.#db, { ...filter, after, until, ...most, positions: pagePositions });
  }

  async #look(): Promise<void> {
    // A stream outlives an outage of the database: the next poll may succeed.
    await this.#advance().catch(() => {});
    // Nobody would notice that values in memory were erased.
    if (this.#listeners === 0) this.#forget(this.#to);
    const pauseMs = this.#log.isAppending ? APPENDING_MS : LOOK_EVERY_MS;
    this.#timer = this.#listeners > 0 ? setTimeout(() => this.#look(), pauseMs) : undefined;
  }

  async #advance(): Promise<void> {
    await this.#log.look();
    const { end } = this.#log;
    // If the tail paused, or the record was set back, listeners read the missing events from the log.
    if (end < this.#to || end - this.#to > recentEvents) this.#forget(end);
    while (this.#to < end) {
      const most = { limit: pageEntries, characters: pageCharacters };
      const { events, reached } = await this.#read(this.#to, end, {}, most);
      this.#keep(events.map(fedEventOf), reached);
      // Events in memory may have values that were erased since; the log does not.
      const erased = events.filter(({ type }) => ERASURES.has(type));
      if (erased.length > 0) this.#forget(reached);
      for (const { stream } of erased) streamHeads(this.#db).forget(stream);
    }
    for (const wake of [...this.#waiting]) wake();
  }

  #forget(end: number): void {
    this.#recent = [];
    this.#characters = 0;
    this.#from = this.#to = end;
  }

  #keep(events: FedEvent[], reached: number): void {
    this.#recent.push(...events);
    this.#to = reached;
    for (const { json } of events) this.#characters += json.length;
    let old = 0;
    while (this.#recent.length - old > recentEvents || this.#characters > recentCharacters) {
      const { position, json } = this.#recent[old++]!;
      this.#characters -= json.length;
      this.#from = position;
    }
    this.#recent.splice(0, old);
  }
}

/** Returns an event of the log as the feed shows it. */
export function feedEventOf(event: RecordedEvent): FeedEvent {
  return { stream: event.stream, ...eventViewOf(event) };
}

function fedEventOf(event: RecordedEvent): FedEvent {
  const { position, stream, type } = event;
  return { position, stream, type, json: JSON.stringify(feedEventOf(event)) };
}

function matches({ stream, type }: FedEvent, filter: EventFilter): boolean {
  if (filter.stream !== undefined && filter.stream !== stream) return false;
  if (filter.types && !filter.types.includes(type)) return false;
  return !filter.kinds || filter.kinds.includes(stream.slice(0, stream.indexOf(':')));
}

/** Returns the index of the first event after a position. The events are sorted. */
function firstAfter(events: readonly FedEvent[], position: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events[middle]!.position > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
