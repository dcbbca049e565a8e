import type { Db } from '../database.ts';

/** Lists the keys of all documents that contents were made from. */
export async function listBlobKeys(db: Db): Promise<string[]> {
  const rows = await db<Array<{ key: string }>>`SELECT DISTINCT blob_key AS key FROM contents ORDER BY key`;
  return rows.map(({ key }) => key);
}
