/** Work that schedules start. */
export interface SweepPort {
  /** Asks GitHub to send again the webhooks that nobody took. */
  redeliverMissedWebhooks(): Promise<void>;
  /** Deletes what the database keeps only for a time. */
  deleteExpired(): Promise<void>;
}
