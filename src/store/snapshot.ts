import { DrizzleQueryError } from 'drizzle-orm';
import type { Db } from './database.ts';

/** Runs queries that all see the same moment of the database and change nothing. */
export async function readSnapshot<T>(db: Db, read: (snapshot: Db) => Promise<T>): Promise<T> {
  let begun = false;
  const work = (snapshot: Db) => {
    begun = true;
    return read(snapshot);
  };
  try {
    return await db.transaction(work, { isolationLevel: 'repeatable read', accessMode: 'read only' });
  } catch (error) {
    // Where the database is away, BEGIN fails in the driver, which Drizzle does not wrap as it does queries.
    if (!begun && error instanceof Error) throw new DrizzleQueryError('BEGIN', [], error);
    throw error;
  }
}
