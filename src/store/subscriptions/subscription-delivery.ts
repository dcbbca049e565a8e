/** An event that failed and will be tried again. */
export interface PendingEvent {
  position: number;
  /** Attempts so far. */
  attempts: number;
  /** When the first attempt was made, ISO 8601. */
  first_at: string;
  /** When the next attempt is due, ISO 8601. */
  next_at: string;
}

/** How far the events of a subscription went. */
export interface Progress {
  /** All events up to this position in the log are settled, except the pending ones. */
  position: number;
  pending: PendingEvent[];
  delivered: number;
  given_up: number;
  delivered_at: string | null;
  /** Since when every attempt has failed; null if the last one succeeded. */
  failing_since: string | null;
  last_failure: string | null;
}

/** The destination of events. All of it may be secret. */
export interface Destination {
  url: string;
  secret: string;
  headers: Record<string, string>;
}

/** What a delivering process needs to know. Its version grows with each change. */
export interface Delivery extends Progress, Destination {
  id: string;
  version: number;
}
