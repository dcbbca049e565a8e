import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { sealData } from './sealed.ts';

/**
 * Says whether an event itself holds values that could otherwise be erased, because an earlier version of Hapax recorded it. They
 * cannot be erased, since its hash covers them.
 */
export function holdsValues({ type, data, sealed }: RecordedEvent): boolean {
  return sealed === undefined && sealData(type, data, () => '').kept !== undefined;
}
