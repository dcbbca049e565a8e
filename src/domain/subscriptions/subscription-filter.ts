import type { FeedEvent } from '../../contracts/event-feed.ts';
import type { Outcome, SubscriptionFilter } from '../../contracts/subscriptions/subscription-event.ts';

/** What of the build or task an event is about decides whether it is sent. */
export interface SubjectFacts {
  /** Name of the build configuration. */
  configuration?: string | undefined;
  queue?: string | undefined;
}

/** Statuses that are ends, and how they are called in filters. */
const OUTCOME_OF: ReadonlyMap<string, Outcome> = new Map([
  ['success', 'success'],
  ['failure', 'failure'],
  ['cancelled', 'cancelled'],
  ['SUCCESS', 'success'],
  ['FAILURE', 'failure'],
  ['REVOKED', 'cancelled'],
]);

/** Events of subscriptions are sent only where they are asked for: one that tells of its own failure would never end. */
const USUAL_KINDS = ['build', 'task'];

/** Whether a subscription with this filter is told of an event. */
export function isWanted(
  { kinds = USUAL_KINDS, types, configurations, queues, outcomes }: SubscriptionFilter,
  { stream, event_type, to_status = '' }: Pick<FeedEvent, 'stream' | 'event_type' | 'to_status'>,
  { configuration, queue }: SubjectFacts,
): boolean {
  const named = <Word>(words: readonly Word[] | undefined, word: Word | undefined) =>
    words === undefined || (word !== undefined && words.includes(word));
  return (
    named(kinds, stream.slice(0, stream.indexOf(':'))) &&
    named(types, event_type) &&
    named(configurations, configuration) &&
    named(queues, queue) &&
    named(outcomes, OUTCOME_OF.get(to_status))
  );
}
