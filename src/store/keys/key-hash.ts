import type { Db } from '../database.ts';

/** Saves the hash of a new key. @param hash SHA-256 of the key, in hexadecimal digits. */
export async function addKeyHash(db: Db, id: string, hash: string): Promise<void> {
  await db`INSERT INTO key_hashes ${db({ id, hash })}`;
}

/** Deletes the hash of a key. */
export async function deleteKeyHash(db: Db, id: string): Promise<void> {
  await db`DELETE FROM key_hashes WHERE id = ${id}`;
}

/**
 * Counts the keys that are not revoked, and those with the right admin that never expire. Until the transaction ends, nobody else adds or
 * revokes one.
 */
export async function countKeys(db: Db): Promise<{ all: number; admins: number }> {
  await db`LOCK TABLE key_hashes IN SHARE ROW EXCLUSIVE MODE`;
  const [row] = await db<Array<{ all: number; admins: number }>>`
    SELECT count(*) AS all,
      count(*) FILTER (WHERE jsonb_exists(rights, 'admin') AND expires_at IS NULL) AS admins
    FROM keys WHERE status = 'active'`;
  return row!;
}

/** Saves when keys were last used. */
export async function saveKeyUses(db: Db, uses: ReadonlyMap<string, string>): Promise<void> {
  const rows = JSON.stringify([...uses].map(([id, at]) => ({ id, at })));
  await db`
    UPDATE key_hashes SET last_used_at = greatest(last_used_at, used.at)
    FROM jsonb_to_recordset(${rows}::jsonb) AS used(id text, at timestamptz) WHERE key_hashes.id = used.id`;
}
