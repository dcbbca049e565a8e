import { asc, eq } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { callbackTargets } from '../schema.ts';

/** The targets that are told of the endings of a stream. */
export async function listCallbackTargets(db: Db, stream: string): Promise<string[]> {
  const { target } = callbackTargets;
  const rows = await db
    .select({ target })
    .from(callbackTargets)
    .where(eq(callbackTargets.stream, stream))
    .orderBy(asc(target));
  return rows.map((row) => row.target);
}
