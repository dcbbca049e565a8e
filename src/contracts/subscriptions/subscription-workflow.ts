/** Type name of the workflow that delivers the events of a subscription. */
export const SUBSCRIPTION_WORKFLOW = 'subscription';

/** Signal that wakes the workflow of a changed subscription while it waits for its next attempt. */
export const SUBSCRIPTION_CHANGED_SIGNAL = 'changed';

/** Input of that workflow. It reads the URL, secret and headers from the store. */
export interface SubscriptionInput {
  id: string;
}

/** Returns the workflow id of a subscription, which has one workflow while it is active. */
export function subscriptionWorkflowId(id: string): string {
  return `subscription:${id}`;
}
