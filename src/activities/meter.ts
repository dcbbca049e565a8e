import type { DispatchOutcome } from '../contracts/github/github.ts';
import type { EndMeter } from '../domain/end-meter.ts';

/** Counters of the activities. */
export interface ActivityMeter extends EndMeter {
  dispatched(outcome: DispatchOutcome['kind']): void;
  /** Counts a try to deliver a callback, recorded now for the first time. */
  callbackTried(outcome: 'delivered' | 'failed' | 'given_up'): void;
  /** Counts a request for units of the YouTube Data API. */
  quotaAsked(outcome: 'granted' | 'refused' | 'waiting'): void;
  /** Counts a search for missed webhooks of a repository, and the deliveries that it requested again. */
  deliveriesSwept(outcome: 'done' | 'not_allowed' | 'failed', redelivered: number): void;
}
