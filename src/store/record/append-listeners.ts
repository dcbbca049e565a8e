import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

type Listener = (events: readonly RecordedEvent[]) => void;

const perDatabase = new WeakMap<Db, Set<Listener>>();

/**
 * Calls `listen` with the events of one stream each time this process appends some, until the returned function is called.
 * It does not see events that another process appends, or that this one appends in a transaction.
 */
export function listenToAppends(db: Db, listen: Listener): () => void {
  const listeners = perDatabase.get(db) ?? new Set();
  perDatabase.set(db, listeners.add(listen));
  return () => listeners.delete(listen);
}

/** Passes appended events to the listeners. */
export function announceAppended(db: Db, events: readonly RecordedEvent[]): void {
  for (const listen of perDatabase.get(db) ?? []) listen(events);
}
