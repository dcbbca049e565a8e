import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { type KeptValues, unsealed } from '../../domain/record/sealed.ts';

/** A row of the view `told_events`: an event of the log with the values that are kept beside it, if any. */
export type ToldRow = RecordedEvent & { salt: string | null; told: KeptValues['told'] | null };

/** Returns the event in a row. */
export function eventFromRow({ salt, told, ...event }: ToldRow): RecordedEvent {
  return unsealed(event, salt !== null && told !== null ? { salt, told } : undefined);
}
