import { type BuildEvent, buildEventData, type RecordedEvent } from '../contracts/event.ts';
import { type Build, evolve, IllegalEvent } from './build.ts';

/** What `evolve` needs of an event that comes from the log. */
export type LoggedEvent = Pick<RecordedEvent, 'type' | 'data' | 'occurred_at' | 'dedupe_key'>;

/**
 * The state of a build after an event of the log.
 * @throws {IllegalEvent} where the event cannot follow the state, or is of a type that was never recorded.
 */
export function foldEvent(build: Build | undefined, event: LoggedEvent): Build {
  if (!Object.hasOwn(buildEventData, event.type)) throw new IllegalEvent(`there is no event type ${event.type}`);
  return evolve(build, event as BuildEvent);
}

/** What was known of a stream at a time: its events up to the first that was recorded later. */
export function eventsKnownAt(events: readonly RecordedEvent[], at: string): RecordedEvent[] {
  const time = Date.parse(at);
  const later = events.findIndex((event) => Date.parse(event.recorded_at) > time);
  return later === -1 ? [...events] : events.slice(0, later);
}
