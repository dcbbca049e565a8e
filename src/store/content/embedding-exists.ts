import type { Db } from '../database.ts';
import { hasEmbeddings } from './embedding-available.ts';

/** Says whether any content has vectors. */
export async function embeddingsExist(db: Db): Promise<boolean> {
  if (!(await hasEmbeddings(db))) return false;
  const [row] = await db<Array<{ any: boolean }>>`SELECT EXISTS (SELECT FROM embeddings) AS any`;
  return row?.any === true;
}
