import type { RecordedEvent } from '../contracts/event.ts';
import { IllegalEvent } from './illegal-event.ts';

/** What `evolve` needs of an event that comes from the log. */
export type LoggedEvent = Pick<RecordedEvent, 'type' | 'data' | 'occurred_at' | 'dedupe_key'>;

/** Events of one kind of stream, and what they add up to. */
export interface Evolution<State, Event> {
  /** The event types that there are; nothing else was ever recorded. */
  data: Readonly<Record<string, unknown>>;
  evolve(state: State | undefined, event: Event): State;
}

/**
 * The state of a stream after an event of the log.
 * @throws {IllegalEvent} where the event cannot follow the state, or is of a type that was never recorded.
 */
export function foldEvent<State, Event>(
  { data, evolve }: Evolution<State, Event>,
  state: State | undefined,
  event: LoggedEvent,
): State {
  if (!Object.hasOwn(data, event.type)) throw new IllegalEvent(`there is no event type ${event.type}`);
  return evolve(state, event as Event);
}

/**
 * What the events of a stream add up to, given all in order; undefined where there are none.
 * @throws {IllegalEvent} as {@link foldEvent}.
 */
export function foldEvents<State, Event>(
  kind: Evolution<State, Event>,
  events: readonly LoggedEvent[],
): State | undefined {
  return events.reduce<State | undefined>((state, event) => foldEvent(kind, state, event), undefined);
}

/** What was known of a stream at a time: its events up to the first that was recorded later. */
export function eventsKnownAt(events: readonly RecordedEvent[], at: string): RecordedEvent[] {
  const time = Date.parse(at);
  const later = events.findIndex((event) => Date.parse(event.recorded_at) > time);
  return later === -1 ? [...events] : events.slice(0, later);
}
