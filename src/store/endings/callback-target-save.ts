import { FIRST_TARGET } from '../../contracts/endings/callback-workflow.ts';
import type { Db } from '../database.ts';
import { withoutValues } from '../installation/secret-values.ts';
import { callbackTargets } from '../schema.ts';

/** Keeps the URL that the request named which made the subject; a repeat changes nothing. */
export async function saveCallbackTarget(db: Db, stream: string, url: string): Promise<void> {
  await withoutValues(db.insert(callbackTargets).values({ stream, target: FIRST_TARGET, url }).onConflictDoNothing());
}
