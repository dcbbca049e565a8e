import { sql } from 'drizzle-orm';
import type { Db } from './database.ts';

/** A piece of a content's text. */
export interface Chunk {
  id: number;
  text: string;
}

/** Up to `limit` chunks of a content that have no vector of this model yet, in order. */
export async function listUnembeddedChunks(db: Db, contentId: string, model: string, limit: number): Promise<Chunk[]> {
  const rows = await db.execute<{ id: string; text: string }>(sql`
    SELECT id, text FROM chunks
    WHERE content_id = ${contentId}
      AND NOT EXISTS (SELECT FROM embeddings WHERE chunk_id = chunks.id AND model = ${model})
    ORDER BY seq LIMIT ${limit}`);
  return rows.map(({ id, text }) => ({ id: Number(id), text }));
}
