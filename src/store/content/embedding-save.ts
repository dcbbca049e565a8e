import type { Db } from '../database.ts';
import type { ChunkId } from './content-store.ts';
import type { VectorMaker } from './vector-maker.ts';

/** The vector of a chunk. */
export interface ChunkEmbedding {
  chunk_id: ChunkId;
  embedding: number[];
}

/**
 * Saves vectors. An existing one of the same maker stays; one of another model with that name is replaced. Drops vectors of
 * chunks that a newer version of the content has replaced; the lock waits for one that is replacing them.
 */
export async function saveEmbeddings(
  db: Db,
  { model, revision }: Pick<VectorMaker, 'model' | 'revision'>,
  embeddings: ChunkEmbedding[],
): Promise<void> {
  const given = embeddings.map(({ chunk_id, embedding }) => ({ chunk_id, embedding: JSON.stringify(embedding) }));
  await db`
    INSERT INTO embeddings AS known (chunk_id, model, revision, dimensions, embedding)
    SELECT chunks.id, ${model}, ${revision ?? null}::text, vector_dims(given.embedding::vector), given.embedding::vector
    FROM jsonb_to_recordset(${JSON.stringify(given)}::jsonb) AS given (chunk_id bigint, embedding text)
    JOIN chunks ON chunks.id = given.chunk_id FOR KEY SHARE OF chunks
    ON CONFLICT (chunk_id, model) DO UPDATE
      SET revision = excluded.revision, dimensions = excluded.dimensions, embedding = excluded.embedding
      WHERE known.dimensions <> excluded.dimensions OR known.revision <> excluded.revision`;
}
