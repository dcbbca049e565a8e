import { type KeyEvent, keyEventData } from '../../contracts/keys/key-event.ts';
import { evolveKey, type Key } from '../../domain/keys/key.ts';
import type { ChainHead } from '../../domain/record/hash.ts';
import type { StreamKind } from '../record/stream-kind.ts';

/** A row of the table `keys`. */
export interface KeyRow extends Key {
  last_seq: number;
  last_hash: string;
}

/** Keys: streams `key:<id>`, projected into the table `keys`. */
export const KEYS: StreamKind<Key, KeyEvent> = {
  name: 'key',
  first: 'key_created',
  data: keyEventData,
  evolve: evolveKey,
  table: 'keys',
  rowOf: (key, head: ChainHead) => ({ ...key, last_seq: head.seq, last_hash: head.hash }),
  stateOf(row) {
    const { last_seq: _seq, last_hash: _hash, ...key } = row as KeyRow;
    return key;
  },
};
