import type { FeedEvent } from '../../contracts/event-feed.ts';
import type { Outcome, SubscriptionFilter } from '../../contracts/subscriptions/subscription-event.ts';

/** The properties of an event's build or task that decide whether it is sent. */
export interface SubjectFacts {
  /** Name of the build configuration. */
  configuration?: string | undefined;
  queue?: string | undefined;
}

/** Final statuses, and their names in filters. */
const OUTCOME_OF: ReadonlyMap<string, Outcome> = new Map([
  ['success', 'success'],
  ['failure', 'failure'],
  ['cancelled', 'cancelled'],
  ['SUCCESS', 'success'],
  ['FAILURE', 'failure'],
  ['REVOKED', 'cancelled'],
]);

/** Events of subscriptions are sent only on request: a subscription that reports its own failure would never end. */
const USUAL_KINDS = ['build', 'task'];

/** Says whether a subscription with this filter gets an event. */
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
