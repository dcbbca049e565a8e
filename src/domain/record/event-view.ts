import type { EventView, RecordedEvent } from '../../contracts/builds/event.ts';

/** Returns an event as the API shows it. */
export function eventViewOf(event: RecordedEvent): EventView {
  const { position, seq, type, from_status, to_status, data, sealed, occurred_at, hash } = event;
  const { recorded_at, dedupe_key, previous_hash } = event;
  return {
    id: position,
    seq,
    event_type: type,
    ...(from_status ? { from_status } : {}),
    ...(to_status ? { to_status } : {}),
    ...(Object.keys(data).length > 0 ? { event_data: data } : {}),
    ...(sealed ? { sealed } : {}),
    timestamp: occurred_at,
    hash,
    recorded_at,
    dedupe_key,
    previous_hash,
  };
}
