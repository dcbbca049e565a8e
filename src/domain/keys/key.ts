import type { KeyEvent, Right } from '../../contracts/keys/key-event.ts';
import { IllegalEvent } from '../record/illegal-event.ts';

/** The current state of a key: the sum of its events. */
export interface Key {
  id: string;
  status: 'active' | 'revoked';
  name: string;
  rights: Right[];
  repositories: string[] | null;
  queues: string[] | null;
  requests_per_minute: number | null;
  builds_in_flight: number | null;
  tasks_in_flight: number | null;
  expires_at: string | null;
  created_by: string;
  created_at: string;
  revoked_by: string | null;
  revoked_at: string | null;
}

/**
 * Returns the state after an event.
 * @throws {IllegalEvent} if the event cannot follow the state.
 */
export function evolveKey(key: Key | undefined, event: KeyEvent): Key {
  switch (event.type) {
    case 'key_created': {
      if (key) throw new IllegalEvent(`key ${key.id} exists already`);
      const { key_id: id, by: created_by, ...described } = event.data;
      const created_at = event.occurred_at;
      return { id, ...described, status: 'active', created_by, created_at, revoked_by: null, revoked_at: null };
    }
    case 'key_revoked':
      if (!key) throw new IllegalEvent('key_revoked cannot be the first event of a key');
      if (key.status === 'revoked') throw new IllegalEvent(`key ${key.id} is revoked`);
      return { ...key, status: 'revoked', revoked_by: event.data.by, revoked_at: event.occurred_at };
    default:
      return event satisfies never;
  }
}
