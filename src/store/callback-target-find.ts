import { eq } from 'drizzle-orm';
import type { Db } from './database.ts';
import { callbackTargets } from './schema.ts';

/** Where the callbacks of a stream go; undefined for nowhere. */
export async function findCallbackUrl(db: Db, stream: string): Promise<string | undefined> {
  const [row] = await db.select().from(callbackTargets).where(eq(callbackTargets.stream, stream));
  return row?.url;
}
