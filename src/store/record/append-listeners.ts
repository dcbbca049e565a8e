import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

type Listener = (events: readonly RecordedEvent[]) => void;

const perDatabase = new WeakMap<Db, Set<Listener>>();

/**
 * Calls `listen` with the events of one stream whenever this process has appended them, until the returned function is called. What
 * other processes append, or this one in a transaction, is in the database only.
 */
export function listenToAppends(db: Db, listen: Listener): () => void {
  const listeners = perDatabase.get(db) ?? new Set();
  perDatabase.set(db, listeners.add(listen));
  return () => listeners.delete(listen);
}

/** Tells those who listen what was appended. */
export function announceAppended(db: Db, events: readonly RecordedEvent[]): void {
  for (const listen of perDatabase.get(db) ?? []) listen(events);
}
