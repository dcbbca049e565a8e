import { and, eq } from 'drizzle-orm';
import { FIRST_TARGET } from '../../contracts/endings/callback-workflow.ts';
import type { Db } from '../database.ts';
import { callbackTargets } from '../schema.ts';

/** The URL of a target of a stream, by default of the first; undefined if there is none. */
export async function findCallbackUrl(db: Db, stream: string, target = FIRST_TARGET): Promise<string | undefined> {
  const [row] = await db
    .select()
    .from(callbackTargets)
    .where(and(eq(callbackTargets.stream, stream), eq(callbackTargets.target, target)));
  return row?.url;
}
