import type { Db } from '../database.ts';
import { isMadeBy, type VectorMaker } from './vector-maker.ts';

/**
 * Lists, in order, ids of contents whose vectors are from another maker, such as the previous model.
 * @param after the last id before them; empty for the first.
 */
export async function listOutdatedContents(
  db: Db,
  maker: VectorMaker,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db<Array<{ content_id: string }>>`
    SELECT DISTINCT content_id FROM embeddings AS other JOIN chunks ON chunks.id = other.chunk_id
    WHERE content_id > ${after}
      AND NOT EXISTS (SELECT FROM embeddings WHERE embeddings.chunk_id = other.chunk_id AND ${isMadeBy(db, maker)})
    ORDER BY content_id LIMIT ${limit}`;
  return rows.map(({ content_id }) => content_id);
}
