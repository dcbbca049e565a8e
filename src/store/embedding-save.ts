import { sql } from 'drizzle-orm';
import type { Db } from './database.ts';

/** The vector of a chunk, by one model. */
export interface ChunkEmbedding {
  chunk_id: number;
  embedding: number[];
}

/** Keeps vectors. Existing ones stay; those of chunks that a newer version of the content has replaced are dropped. */
export async function saveEmbeddings(db: Db, model: string, embeddings: ChunkEmbedding[]): Promise<void> {
  const given = embeddings.map(({ chunk_id, embedding }) => ({ chunk_id, embedding: JSON.stringify(embedding) }));
  await db.execute(sql`
    INSERT INTO embeddings (chunk_id, model, dimensions, embedding)
    SELECT chunks.id, ${model}, vector_dims(given.embedding::vector), given.embedding::vector
    FROM jsonb_to_recordset(${JSON.stringify(given)}::jsonb) AS given (chunk_id bigint, embedding text)
    JOIN chunks ON chunks.id = given.chunk_id
    ON CONFLICT DO NOTHING`);
}
