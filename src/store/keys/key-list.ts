import type { Key } from '../../domain/keys/key.ts';
import type { Db, Fragment } from '../database.ts';

/** A key and the time of its last use. */
export type UsedKey = Key & { last_used_at: string | null };

const used = (db: Db): Fragment => db`
  keys.id, status, name, rights, repositories, queues, requests_per_minute, builds_in_flight, tasks_in_flight, expires_at,
  created_by, created_at, revoked_by, revoked_at, last_used_at
  FROM keys LEFT JOIN key_hashes USING (id)`;

/** Finds a key, even a revoked one. */
export async function findKey(db: Db, id: string): Promise<UsedKey | undefined> {
  const [row] = await db<UsedKey[]>`SELECT ${used(db)} WHERE keys.id = ${id}`;
  return row;
}

/** Lists keys that are not revoked, by id. @param after the last id of the page before; '' for the first. */
export async function listKeys(db: Db, after: string, limit: number): Promise<UsedKey[]> {
  return await db<
    UsedKey[]
  >`SELECT ${used(db)} WHERE status = 'active' AND keys.id > ${after} ORDER BY keys.id LIMIT ${limit}`;
}

/** Returns a number that grows whenever a key is made or revoked. */
export async function versionOfKeys(db: Db): Promise<number> {
  const [row] = await db<Array<{ version: number }>>`SELECT coalesce(sum(last_seq), 0)::bigint AS version FROM keys`;
  return row!.version;
}

/** Lists all keys that are not revoked, with their hashes. */
export async function listKeyHashes(db: Db): Promise<Array<Key & { hash: string }>> {
  return await db<Array<Key & { hash: string }>>`
    SELECT keys.*, hash FROM keys JOIN key_hashes USING (id) WHERE status = 'active'`;
}
