/** Activities that schedules start. */
export interface SweepPort {
  /** Asks GitHub to send missed webhooks again. */
  redeliverMissedWebhooks(): Promise<void>;
  /** Deletes data that the database keeps only for a time, and erases data that the settings keep only for a time. */
  deleteExpired(): Promise<void>;
}
