import { FIRST_TARGET } from '../../contracts/endings/callback-workflow.ts';
import type { Db } from '../database.ts';

/** Saves the URL given in the request that made the subject. A repeat changes nothing. */
export async function saveCallbackTarget(db: Db, stream: string, url: string): Promise<void> {
  await db`INSERT INTO callback_targets ${db({ stream, target: FIRST_TARGET, url })} ON CONFLICT DO NOTHING`;
}
