import { asc } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { contents } from '../schema.ts';

/** Keys of all documents that contents were made from. */
export async function listBlobKeys(db: Db): Promise<string[]> {
  const rows = await db.selectDistinct({ key: contents.blob_key }).from(contents).orderBy(asc(contents.blob_key));
  return rows.map(({ key }) => key);
}
