import type { Db } from '../database.ts';

/** Says whether this database can keep vectors: see {@link prepareEmbeddings}. */
export async function hasEmbeddings(db: Db): Promise<boolean> {
  const [row] = await db<Array<{ there: boolean }>>`SELECT to_regclass('embeddings') IS NOT NULL AS there`;
  return row?.there === true;
}
