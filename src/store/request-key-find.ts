import type { Db } from './database.ts';
import type { ClaimedKey } from './request-key-claim.ts';

/** Finds what was made under a key; undefined if nothing was. */
export async function findRequestKey(db: Db, key: string): Promise<Omit<ClaimedKey, 'repeated'> | undefined> {
  const [row] = await db<
    Array<{ fingerprint: string; made: string }>
  >`SELECT fingerprint, made FROM request_keys WHERE key = ${key}`;
  return row;
}
