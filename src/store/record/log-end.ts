import type { Db } from '../database.ts';

/** Returns the highest position that can be read; 0 if the log is empty. */
export async function findLogEnd(db: Db): Promise<number> {
  const [row] = await db<Array<{ position: number }>>`SELECT coalesce(max(position), 0) AS position FROM events`;
  return row!.position;
}

/**
 * Lists the transactions that may have taken a position without having committed. An INSERT locks the table before it takes
 * a position, and the lock ends after the commit is visible. No two transactions ever have the same name.
 */
export async function listAppenders(db: Db): Promise<string[]> {
  const rows = await db<Array<{ name: string }>>`
    SELECT DISTINCT virtualtransaction AS name FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'events'::regclass AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  return rows.map(({ name }) => name);
}
