/** What workflows ask of those who deliver events to subscriptions. */
export interface SubscriptionPort {
  /**
   * Delivers events, for as long as the receiver takes them. Returns with the pause until the next attempt where it does not, and
   * null where the subscription is not active any more.
   */
  deliverEvents(request: { id: string }): Promise<{ pause_ms: number } | null>;
}
