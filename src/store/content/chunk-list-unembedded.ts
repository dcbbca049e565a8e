import type { Db } from '../database.ts';
import type { ChunkId } from './content-store.ts';
import { isMadeBy, type VectorMaker } from './vector-maker.ts';

/** A piece of a content's text. */
export interface Chunk {
  id: ChunkId;
  seq: number;
  text: string;
}

/** Lists up to `limit` chunks of a content that have no vector of this maker, in order. @param after the last `seq` before them. */
export function listUnembeddedChunks(
  db: Db,
  contentId: string,
  maker: VectorMaker,
  { after, limit }: { after: number; limit: number },
): Promise<Chunk[]> {
  return db<Chunk[]>`
    SELECT id, seq, text FROM chunks
    WHERE content_id = ${contentId} AND seq > ${after}::integer
      AND NOT EXISTS (SELECT FROM embeddings WHERE chunk_id = chunks.id AND ${isMadeBy(db, maker)})
    ORDER BY seq LIMIT ${limit}`;
}
