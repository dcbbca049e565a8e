import { eq } from 'drizzle-orm';
import type { Db } from './database.ts';
import { callbackTargets } from './schema.ts';

/** The URL that the callbacks of a stream go to; undefined if it has none. */
export async function findCallbackUrl(db: Db, stream: string): Promise<string | undefined> {
  const [row] = await db.select().from(callbackTargets).where(eq(callbackTargets.stream, stream));
  return row?.url;
}
