import { DrizzleQueryError } from 'drizzle-orm';
import type { Db } from './database.ts';
import { callbackTargets } from './schema.ts';

/** Keeps where the callbacks of a stream go; the first URL stands. */
export async function saveCallbackTarget(db: Db, stream: string, url: string): Promise<void> {
  try {
    await db.insert(callbackTargets).values({ stream, url }).onConflictDoNothing();
  } catch (error) {
    if (!(error instanceof DrizzleQueryError)) throw error;
    // Its message would tell the values, and with them the URL, to a log.
    throw new DrizzleQueryError(error.query, [], error.cause);
  }
}
