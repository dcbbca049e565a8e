/** Type name of the workflow that delivers the events of a subscription. */
export const SUBSCRIPTION_WORKFLOW = 'subscription';

/** Signal that wakes the workflow of a subscription which waits for its next attempt: it was changed. */
export const SUBSCRIPTION_CHANGED_SIGNAL = 'changed';

/** Input of that workflow. URL, secret and headers are not in it: they are read from the store. */
export interface SubscriptionInput {
  id: string;
}

/** One workflow a subscription, for as long as it is active. */
export function subscriptionWorkflowId(id: string): string {
  return `subscription:${id}`;
}
