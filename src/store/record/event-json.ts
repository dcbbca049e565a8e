import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { eventFromRow, type ToldRow } from './told-event.ts';

/** Reads a row of `told_events` that Postgres wrote as JSON, with its times in the form that was hashed. */
export function eventFromJson(row: ToldRow): RecordedEvent {
  const event = eventFromRow(row);
  const { occurred_at, recorded_at } = event;
  return { ...event, occurred_at: instant(occurred_at), recorded_at: instant(recorded_at) };
}

function instant(text: string): string {
  return new Date(text).toISOString();
}
