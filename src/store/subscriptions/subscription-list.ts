import type { Db } from '../database.ts';
import { type FollowedSubscription, followed } from './subscription-find.ts';

/** Lists subscriptions that are not deleted, by id. @param after the last id of the page before; '' for the first. */
export async function listSubscriptions(db: Db, after: string, limit: number): Promise<FollowedSubscription[]> {
  return await db<FollowedSubscription[]>`
    SELECT ${followed(db)} WHERE subscriptions.id > ${after} ORDER BY subscriptions.id LIMIT ${limit}`;
}

/** Lists the ids of subscriptions that receive events. */
export async function listActiveSubscriptions(db: Db): Promise<string[]> {
  const rows = await db<Array<{ id: string }>>`SELECT id FROM subscriptions WHERE status = 'active' ORDER BY id`;
  return rows.map(({ id }) => id);
}
