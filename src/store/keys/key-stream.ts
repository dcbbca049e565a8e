import { type KeyEvent, keyEventData } from '../../contracts/keys/key-event.ts';
import { evolveKey, type Key } from '../../domain/keys/key.ts';
import { rowOfState, stateOfRow } from '../record/state-row.ts';
import type { StreamKind } from '../record/stream-kind.ts';

/** Keys: streams `key:<id>`, projected into the table `keys`. */
export const KEYS: StreamKind<Key, KeyEvent> = {
  name: 'key',
  first: 'key_created',
  data: keyEventData,
  evolve: evolveKey,
  table: 'keys',
  rowOf: rowOfState,
  stateOf: stateOfRow,
};
