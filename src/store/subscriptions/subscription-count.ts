import type { Db } from '../database.ts';

/** Counts the subscriptions that are not deleted. Until the transaction ends, nobody else adds one. */
export async function countSubscriptions(db: Db): Promise<number> {
  await db`LOCK TABLE subscription_deliveries IN SHARE ROW EXCLUSIVE MODE`;
  const [row] = await db<Array<{ count: number }>>`SELECT count(*) FROM subscription_deliveries`;
  return row!.count;
}
