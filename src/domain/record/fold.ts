import type { RecordedEvent } from '../../contracts/builds/event.ts';
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

/**
 * The events of a stream up to a time: the last event of that time or earlier, and every event before it in the stream. An
 * event has two times, when it happened and when it was recorded, and both are shown; either of them, given here, includes
 * it. The order is that of the stream, not of the times, which clocks of several processes gave.
 * @param at ISO 8601.
 */
export function eventsUntil(events: readonly RecordedEvent[], at: string): RecordedEvent[] {
  const time = Date.parse(at);
  const last = events.findLastIndex(
    ({ occurred_at, recorded_at }) => Date.parse(occurred_at) <= time || Date.parse(recorded_at) <= time,
  );
  return events.slice(0, last + 1);
}
