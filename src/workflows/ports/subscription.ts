/** Activities that deliver events to subscriptions. */
export interface SubscriptionPort {
  /**
   * Delivers events for as long as the receiver takes them. If it does not, returns the pause until the next attempt. Returns null if
   * the subscription is no longer active.
   */
  deliverEvents(request: { id: string }): Promise<{ pause_ms: number } | null>;
}
