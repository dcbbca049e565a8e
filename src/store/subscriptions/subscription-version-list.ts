import type { Db } from '../database.ts';

/** Lists the versions of all subscriptions, by id. */
export async function listSubscriptionVersions(db: Db): Promise<Map<string, number>> {
  const rows = await db<Array<{ id: string; version: number }>>`SELECT id, version FROM subscription_deliveries`;
  return new Map(rows.map(({ id, version }) => [id, version]));
}
