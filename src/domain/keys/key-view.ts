import type { KeyView } from '../../contracts/keys/key.ts';
import type { Key } from './key.ts';

/** Returns a key as the API shows it. @param now milliseconds since 1970. */
export function keyViewOf(key: Key & { last_used_at: string | null }, now: number): KeyView {
  const { id, name, status, rights, repositories, queues } = key;
  const { requests_per_minute, builds_in_flight, tasks_in_flight, expires_at } = key;
  const { created_at, created_by, revoked_at, revoked_by, last_used_at } = key;
  return {
    ...{ id, name, status: status === 'active' && hasExpired(key, now) ? 'expired' : status, rights },
    ...{ repositories, queues, requests_per_minute, builds_in_flight, tasks_in_flight, expires_at },
    ...{ created_at, created_by, revoked_at, revoked_by, last_used_at },
  };
}

/** Says whether a key has expired. */
export function hasExpired({ expires_at }: Pick<Key, 'expires_at'>, now: number): boolean {
  return expires_at !== null && Date.parse(expires_at) <= now;
}
