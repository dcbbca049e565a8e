import { hasExpired } from '../../domain/keys/key-view.ts';
import { type Db, inTransaction } from '../../store/database.ts';
import { countKeys, deleteKeyHash } from '../../store/keys/key-hash.ts';
import { findKey } from '../../store/keys/key-list.ts';
import { KEYS } from '../../store/keys/key-stream.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { notFound, Refusal } from '../refusal.ts';
import type { Gate } from './gate.ts';

/** Revokes a key. This process refuses it from now on, the others within a second. @throws {Refusal} if it was not revoked. */
export async function revokeKey({ db, gate }: { db: Db; gate: Gate }, id: string, by: string): Promise<void> {
  await inTransaction(db, async (tx) => {
    const { all, admins } = await countKeys(tx);
    const key = await findKey(tx, id);
    if (!key) throw notFound(`key ${id}`);
    if (key.status === 'revoked') throw new Refusal('state_conflict', { detail: `${id} is revoked already` });
    const isAdmin = key.rights.includes('admin') && !hasExpired(key, Date.now());
    const adminsLeft = key.expires_at === null ? admins - 1 : admins;
    if (isAdmin && adminsLeft === 0 && all > 1 && !gate.isAdministrated) {
      throw new Refusal('state_conflict', {
        detail: 'no other key has the right admin and no expires_at: make one, or revoke all other keys first',
      });
    }
    const occurred_at = new Date().toISOString();
    await appendEvent(tx, KEYS, id, { type: 'key_revoked', data: { by }, occurred_at, dedupe_key: 'revoked' });
    await deleteKeyHash(tx, id);
  });
  await gate.ring.refresh();
}
