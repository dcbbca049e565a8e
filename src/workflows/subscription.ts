import { condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { SubscriptionInput } from '../contracts/subscriptions/subscription-workflow.ts';
import { subscriptions } from './activities.ts';
import { subscriptionChangedSignal } from './messages.ts';

/**
 * Delivers the events of a subscription while it is active. Delivering is one long activity, so an event costs Temporal nothing. The
 * workflow makes sure that exactly one worker delivers, and makes the pauses while the receiver fails.
 */
export async function subscription(input: SubscriptionInput): Promise<void> {
  let isChanged = false;
  setHandler(subscriptionChangedSignal, () => {
    isChanged = true;
  });
  while (!workflowInfo().continueAsNewSuggested) {
    isChanged = false;
    setCurrentDetails('Delivers events');
    const outcome = await subscriptions.deliverEvents(input);
    if (!outcome) {
      // It may have been enabled again while the activity returned.
      if (isChanged) continue;
      return;
    }
    if (outcome.pause_ms === 0) continue;
    setCurrentDetails(`The receiver fails; next attempt at ${new Date(Date.now() + outcome.pause_ms).toISOString()}`);
    await condition(() => isChanged, outcome.pause_ms);
  }
  await continueAsNew<typeof subscription>(input);
}
