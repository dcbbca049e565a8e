import type { RecordedEvent } from '../../contracts/builds/event.ts';

/** An event that Postgres wrote as JSON, with its times in the form that was hashed. */
export function eventFromJson(event: RecordedEvent): RecordedEvent {
  const { occurred_at, recorded_at } = event;
  return { ...event, occurred_at: instant(occurred_at), recorded_at: instant(recorded_at) };
}

function instant(text: string): string {
  return new Date(text).toISOString();
}
