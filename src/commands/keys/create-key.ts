import { randomBytes, randomInt } from 'node:crypto';
import { LIMITS } from '../../contracts/budgets.ts';
import type { KeyBody } from '../../contracts/keys/key.ts';
import type { KeyEvent } from '../../contracts/keys/key-event.ts';
import { evolveKey } from '../../domain/keys/key.ts';
import { newKeyText } from '../../domain/keys/key-text.ts';
import { sha256 } from '../../domain/record/hash.ts';
import { type Db, inTransaction } from '../../store/database.ts';
import { addKeyHash, countKeys } from '../../store/keys/key-hash.ts';
import type { UsedKey } from '../../store/keys/key-list.ts';
import { KEYS } from '../../store/keys/key-stream.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { inTime } from '../lifecycle/in-time.ts';
import { Refusal } from '../refusal.ts';
import type { Gate } from './gate.ts';

/** How long a created key waits until this process knows it. */
const REFRESH_MS = 2_000;

/** Makes a key. @returns the key and its text, which nobody can show again. @throws {Refusal} if none was made. */
export async function createKey(
  { db, gate }: { db: Db; gate: Gate },
  body: KeyBody,
  by: string,
): Promise<{ key: UsedKey; text: string }> {
  const id = `key_${randomBytes(12).toString('hex')}`;
  const text = newKeyText((below) => randomInt(below));
  const occurred_at = new Date().toISOString();
  const expires_at = body.expires_at === undefined ? null : new Date(body.expires_at).toISOString();
  if (expires_at !== null && expires_at <= occurred_at) {
    throw new Refusal('state_conflict', { detail: `expires_at: ${expires_at} has passed` });
  }
  const { name, rights, repositories = null, queues = null } = body;
  const event: KeyEvent = {
    type: 'key_created',
    data: {
      ...{ key_id: id, name, rights, repositories, queues },
      requests_per_minute: body.requests_per_minute ?? null,
      builds_in_flight: body.builds_in_flight ?? null,
      tasks_in_flight: body.tasks_in_flight ?? null,
      ...{ expires_at, by },
    },
    occurred_at,
    dedupe_key: 'created',
  };
  await inTransaction(db, async (tx) => {
    const { all, admins } = await countKeys(tx);
    if (all >= LIMITS.keys.count) throw new Refusal('too_many_keys', { detail: `revoke one of ${all} first` });
    const lasts = body.rights.includes('admin') && expires_at === null;
    if (!gate.isAdministrated && admins === 0 && !lasts) {
      throw new Refusal('state_conflict', {
        detail:
          'a key with the right admin and no expires_at must come first: from then on, nobody gets in without a key',
      });
    }
    await appendEvent(tx, KEYS, id, event);
    await addKeyHash(tx, id, sha256(text));
  });
  // It exists now, and nobody can show its text again. If the database fails here, the ring learns of it later.
  await inTime(gate.ring.refresh(), REFRESH_MS, 'the keys could not be read').catch(() => {});
  return { key: { ...evolveKey(undefined, event), last_used_at: null }, text };
}
