import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { IllegalEvent } from './illegal-event.ts';

/** The part of a logged event that `evolve` needs. */
export type LoggedEvent = Pick<RecordedEvent, 'type' | 'data' | 'occurred_at' | 'dedupe_key'>;

/** The events of one kind of stream, and the state that they add up to. */
export interface Evolution<State, Event> {
  /** All event types; no others were ever recorded. */
  data: Readonly<Record<string, unknown>>;
  evolve(state: State | undefined, event: Event): State;
}

/**
 * Returns the state of a stream after an event of the log.
 * @throws {IllegalEvent} if the event cannot follow the state, or has a type that was never recorded.
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
 * Returns the state that the events of a stream add up to, given all in order; undefined if there are none.
 * @throws {IllegalEvent} as {@link foldEvent} does.
 */
export function foldEvents<State, Event>(
  kind: Evolution<State, Event>,
  events: readonly LoggedEvent[],
): State | undefined {
  return events.reduce<State | undefined>((state, event) => foldEvent(kind, state, event), undefined);
}

/**
 * Returns the events of a stream up to a time: the last event of that time or earlier, and every event before it in the stream. An
 * event has two times, when it happened and when it was recorded. Both are shown, so either of them, given here, includes the event.
 * The order is that of the stream, not of the times, which come from the clocks of several processes.
 * @param at ISO 8601.
 */
export function eventsUntil(events: readonly RecordedEvent[], at: string): RecordedEvent[] {
  const time = Date.parse(at);
  const last = events.findLastIndex(
    ({ occurred_at, recorded_at }) => Date.parse(occurred_at) <= time || Date.parse(recorded_at) <= time,
  );
  return events.slice(0, last + 1);
}
