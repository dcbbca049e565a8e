import { DrizzleQueryError } from 'drizzle-orm';
import type { Db } from './database.ts';
import { callbackTargets } from './schema.ts';

/** Keeps the URL that the callbacks of a stream go to; if there is one already, that one stays. */
export async function saveCallbackTarget(db: Db, stream: string, url: string): Promise<void> {
  try {
    await db.insert(callbackTargets).values({ stream, target: '', url }).onConflictDoNothing();
  } catch (error) {
    if (!(error instanceof DrizzleQueryError)) throw error;
    // Its message holds the values of the query, and the URL must not get into a log.
    throw new DrizzleQueryError(error.query, [], error.cause);
  }
}
