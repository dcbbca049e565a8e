/** An event that failed and is tried again. */
export interface PendingEvent {
  position: number;
  /** Attempts so far. */
  attempts: number;
  /** When the first was made, ISO 8601. */
  first_at: string;
  /** When the next is due, ISO 8601. */
  next_at: string;
}

/** How far the events of a subscription went. */
export interface Progress {
  /** All events up to this position in the log are settled, but for those pending. */
  position: number;
  pending: PendingEvent[];
  delivered: number;
  given_up: number;
  delivered_at: string | null;
  /** Since when every attempt has failed; null where the last did not. */
  failing_since: string | null;
  last_failure: string | null;
}

/** Where events go. All of it may be secret. */
export interface Destination {
  url: string;
  secret: string;
  headers: Record<string, string>;
}

/** What whoever delivers needs to know; rises in version with each change. */
export interface Delivery extends Progress, Destination {
  id: string;
  version: number;
}
