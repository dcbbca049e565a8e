import { LIMITS } from '../../contracts/budgets.ts';
import type { Happening } from '../../contracts/builds/event.ts';
import type { FeedEvent } from '../../contracts/event-feed.ts';
import type { SubscriptionEvent, SubscriptionFilter } from '../../contracts/subscriptions/subscription-event.ts';
import { callbackOutcome } from '../../domain/endings/callback-answer.ts';
import { CALLBACK_TRIED_FOR_MS, callbackPause } from '../../domain/endings/callback-schedule.ts';
import { isWanted } from '../../domain/subscriptions/subscription-filter.ts';
import { canTell, messageOf } from '../../domain/subscriptions/subscription-message.ts';
import type { CallbackSender } from '../../integrations/callback-sender.ts';
import type { Db } from '../../store/database.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { type EventFeed, feedEventOf } from '../../store/record/event-feed.ts';
import { listEventsByPosition } from '../../store/record/event-list-by-position.ts';
import type { Delivery, PendingEvent, Progress } from '../../store/subscriptions/subscription-delivery.ts';
import type { FollowedSubscription } from '../../store/subscriptions/subscription-find.ts';
import { saveSubscriptionProgress } from '../../store/subscriptions/subscription-progress-save.ts';
import { SUBSCRIPTIONS } from '../../store/subscriptions/subscription-stream.ts';
import type { Subjects } from './subjects.ts';
import type { Versions } from './versions.ts';

/** What all subscriptions of a process share. */
export interface Shared {
  db: Db;
  sender: CallbackSender;
  feed: EventFeed;
  subjects: Subjects;
  versions: Versions;
}

/** A subscription, as it was read. */
export interface Read {
  subscription: FollowedSubscription;
  delivery: Delivery;
  readAt: number;
  source: string;
}

/** An event to send, for the first time or again. */
interface Due {
  event: FeedEvent;
  before?: PendingEvent;
}

/** An event that was not delivered, and the shortest pause that the receiver asks for. */
interface Failed extends Due {
  reason: string;
  waitMs: number;
}

const { atOnce, pendingEvents } = LIMITS.subscriptions;
/** Shorter pauses are waited for here. Longer ones are left to the workflow, where they cost nothing. */
const SHORT_PAUSE_MS = 5_000;
/** How long to wait before looking again. */
const LOOK_MS = 1_000;
/** After this, the workflow starts the activity again, so that workers that stop or join get their share. */
const LONGEST_MS = 3_600_000;

/**
 * Delivers the events of one subscription. Sets a failed event aside and tries it again on the schedule of callbacks, while
 * others go on. While every attempt fails, tries only one of them at a time, and one new event with it.
 */
export class Delivering {
  readonly #shared: Shared;
  readonly #read: Read;
  readonly #filter: SubscriptionFilter;
  readonly #progress: Progress;
  #savedPosition: number;
  #savedAt = performance.now();

  constructor(shared: Shared, read: Read) {
    this.#shared = shared;
    this.#read = read;
    this.#filter = read.subscription.filter;
    const { position, pending, delivered, given_up, delivered_at, failing_since, last_failure } = read.delivery;
    this.#progress = { position, pending, delivered, given_up, delivered_at, failing_since, last_failure };
    this.#savedPosition = position;
  }

  /** @returns the pause until the next attempt; null if the subscription was disabled. */
  async run(signal: AbortSignal): Promise<{ pause_ms: number } | null> {
    const { feed, versions } = this.#shared;
    const { subscription, delivery, readAt } = this.#read;
    const until = performance.now() + LONGEST_MS;
    for (;;) {
      const isChanged = versions.isChanged(subscription.id, delivery.version, readAt);
      if (signal.aborted || isChanged || performance.now() > until) return { pause_ms: 0 };
      const due = await this.#takeDue();
      if (due.length > 0) {
        const refusedForGood = await this.#attempt(due);
        if (!(await this.#save())) return { pause_ms: 0 };
        const reason = refusedForGood ?? this.#failedTooLong();
        if (reason === undefined) continue;
        await this.#append(
          { type: 'subscription_disabled', data: { reason, by: 'hapax' } },
          `disabled:${delivery.version}`,
        );
        return null;
      }
      await this.#savePosition();
      const pauseMs = this.#untilNextAttempt();
      if (this.#isFailing && !this.#mayTakeNew(0) && pauseMs > SHORT_PAUSE_MS) return { pause_ms: pauseMs };
      const pause = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, Math.min(LOOK_MS, pauseMs)))]);
      // With news that may not be taken, the feed would return at once, again and again.
      await (this.#mayTakeNew(0) ? feed.news(this.#progress.position, pause) : aborted(pause));
    }
  }

  get #isFailing(): boolean {
    return this.#progress.failing_since !== null;
  }

  /**
   * Whether to take events that were not tried yet. While every attempt fails: a second event at once, and one more with each retry. If
   * only the same event were tried, one that can never be delivered would look like a receiver that fails, and hold up all others.
   * @param again how many events are tried again now.
   */
  #mayTakeNew(again: number): boolean {
    const { length } = this.#progress.pending;
    return length < pendingEvents && (!this.#isFailing || length <= 1 || again > 0);
  }

  #untilNextAttempt(): number {
    const next = Math.min(...this.#progress.pending.map(({ next_at }) => Date.parse(next_at)));
    return Math.max(0, next - Date.now());
  }

  /** Takes the events to send now. While the receiver fails, that is one of each kind, to see whether it still fails. */
  async #takeDue(): Promise<Due[]> {
    const now = Date.now();
    const again = this.#progress.pending.filter(({ next_at }) => Date.parse(next_at) <= now);
    const due: Due[] = [];
    for (const before of this.#isFailing ? again.slice(0, 1) : again) {
      const event = await this.#eventAt(before.position);
      // After a change, the filter may no longer want it.
      if (event && (await this.#wanted([event])).length > 0) due.push({ event, before });
      else this.#progress.pending = this.#progress.pending.filter((one) => one !== before);
    }
    if (!this.#mayTakeNew(due.length)) return due;
    const room = this.#isFailing ? 1 : pendingEvents - this.#progress.pending.length;
    return [...due, ...(await this.#takeNew(room))];
  }

  async #takeNew(room: number): Promise<Due[]> {
    const { kinds, types } = this.#filter;
    const { position } = this.#progress;
    const { events, reached } = await this.#shared.feed.next(position, { kinds, types });
    const wanted = await this.#wanted(events.map(({ json }) => JSON.parse(json) as FeedEvent));
    const taken = wanted.slice(0, room);
    this.#progress.position = taken.length < wanted.length ? taken.at(-1)!.id : reached;
    return taken.map((event) => ({ event }));
  }

  /** Returns those that the subscription sends. */
  async #wanted(events: readonly FeedEvent[]): Promise<FeedEvent[]> {
    const subjectOf = await this.#shared.subjects.of(events.map(({ stream }) => stream));
    const { id, format } = this.#read.subscription;
    return events.filter(
      (event) =>
        event.stream !== `subscription:${id}` &&
        canTell(format, event) &&
        isWanted(this.#filter, event, subjectOf(event.stream).facts),
    );
  }

  async #eventAt(position: number): Promise<FeedEvent | undefined> {
    const range = { after: position - 1, until: position, limit: 1, positions: 1, characters: 1 };
    const { events } = await listEventsByPosition(this.#shared.db, range);
    return events[0] && feedEventOf(events[0]);
  }

  /** Sends these, several at once. @returns why the receiver is gone for good, if it is. */
  async #attempt(due: readonly Due[]): Promise<string | undefined> {
    const { subjects, sender } = this.#shared;
    const { subscription, delivery, source } = this.#read;
    const { url, secret, headers } = delivery;
    const startedAt = new Date().toISOString();
    const subjectOf = await subjects.of(due.map(({ event }) => event.stream));
    const failed: Failed[] = [];
    let delivered = 0;
    let refusedForGood: string | undefined;
    const queue = [...due];
    const work = async () => {
      for (let one = queue.shift(); one; one = queue.shift()) {
        const { event } = one;
        const { subject } = subjectOf(event.stream);
        const { contentType, ...message } = messageOf(subscription.id, subscription.format, source, event, subject);
        const outcome = callbackOutcome(await sender.send(url, message, { secret, headers, contentType }), Date.now());
        if (outcome.kind === 'delivered') {
          delivered += 1;
          continue;
        }
        if (outcome.kind === 'final') refusedForGood = outcome.reason;
        this.#progress.last_failure = outcome.reason;
        failed.push({ ...one, reason: outcome.reason, waitMs: outcome.kind === 'failed' ? outcome.wait_ms : 0 });
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, due.length) }, work));
    const progress = this.#progress;
    const now = new Date().toISOString();
    const wasFailing = this.#isFailing;
    if (delivered > 0) {
      progress.delivered += delivered;
      progress.delivered_at = now;
      progress.failing_since = null;
    } else {
      progress.failing_since ??= now;
    }
    const tried = new Set(due.map(({ before }) => before));
    const aside = await Promise.all(failed.map((one) => this.#setAside(one, startedAt)));
    progress.pending = [...progress.pending, ...aside.filter((one) => one !== undefined)]
      .filter((one) => !tried.has(one))
      .sort((a, b) => a.position - b.position);
    // The receiver accepts events again, so failed ones need not wait.
    if (wasFailing && delivered > 0) progress.pending = progress.pending.map((one) => ({ ...one, next_at: now }));
    return refusedForGood;
  }

  /** Returns the event for its next try; undefined if it was tried for long enough while others were delivered. */
  async #setAside({ event, before, reason, waitMs }: Failed, startedAt: string): Promise<PendingEvent | undefined> {
    const { id: position } = event;
    const { attempts, first_at } = before ?? { attempts: 0, first_at: startedAt };
    const tries = attempts + 1;
    const { delivered_at, failing_since } = this.#progress;
    const pause = callbackPause(tries, Date.now() - Date.parse(first_at), waitMs, Math.random());
    if (pause !== undefined) {
      return { position, attempts: tries, first_at, next_at: new Date(Date.now() + pause).toISOString() };
    }
    if (delivered_at === null || Date.parse(delivered_at) < Date.parse(first_at)) {
      // Nothing was delivered meanwhile, so not the event is at fault. It stays until the subscription is disabled and enabled again.
      const until = Date.parse(failing_since ?? startedAt) + CALLBACK_TRIED_FOR_MS;
      return { position, attempts: tries, first_at, next_at: new Date(until).toISOString() };
    }
    this.#progress.given_up += 1;
    const data = { position, attempts: tries, reason };
    await this.#append({ type: 'subscription_gave_up', data }, `gave_up:${position}:${first_at}`);
    return undefined;
  }

  #failedTooLong(): string | undefined {
    const { failing_since, last_failure } = this.#progress;
    if (failing_since === null || Date.now() - Date.parse(failing_since) < CALLBACK_TRIED_FOR_MS) return undefined;
    return `every attempt has failed for three days; the last: ${last_failure}`;
  }

  async #append(told: Happening<SubscriptionEvent>, dedupe_key: string): Promise<void> {
    const event = { ...told, occurred_at: new Date().toISOString(), dedupe_key } as SubscriptionEvent;
    await appendEvent(this.#shared.db, SUBSCRIPTIONS, this.#read.subscription.id, event);
  }

  /** @returns whether the subscription is still as it was read. */
  async #save(): Promise<boolean> {
    const { subscription, delivery } = this.#read;
    this.#savedPosition = this.#progress.position;
    this.#savedAt = performance.now();
    return saveSubscriptionProgress(this.#shared.db, subscription.id, delivery.version, this.#progress);
  }

  /** Saves from time to time how far the log was searched, even if it had no wanted events. */
  async #savePosition(): Promise<void> {
    if (this.#progress.position === this.#savedPosition || performance.now() - this.#savedAt < LOOK_MS) return;
    await this.#save();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
