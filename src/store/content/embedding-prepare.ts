import type { Db } from '../database.ts';

/** Lengths of vectors that get an index: those of common models. A search finds others too, by reading all of them. */
const INDEXED_DIMENSIONS = [384, 512, 768, 1024];

/**
 * Creates the table of embeddings if the server has pgvector 0.8 or later (whose scans continue until enough rows pass a
 * filter) and lets us use it. Otherwise does nothing, and search uses only words. This is no numbered migration, since a
 * server may get pgvector any day.
 */
export async function prepareEmbeddings(db: Db): Promise<void> {
  // Half precision finds the same neighbours (recall 0.94 of 120 either way) in half the space and time.
  const indexes = INDEXED_DIMENSIONS.map(
    (length) => `
      DROP INDEX IF EXISTS embeddings_${length};
      CREATE INDEX IF NOT EXISTS embeddings_nearest_${length} ON embeddings
        USING hnsw ((embedding::halfvec(${length})) halfvec_cosine_ops) WHERE dimensions = ${length};`,
  );
  await db.unsafe(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
        RETURN;
      END IF;
      CREATE EXTENSION IF NOT EXISTS vector;
      IF (SELECT string_to_array(extversion, '.')::integer[] < ARRAY[0, 8] FROM pg_extension WHERE extname = 'vector') THEN
        RAISE NOTICE 'pgvector is older than 0.8; continuing without it';
        RETURN;
      END IF;
      CREATE TABLE IF NOT EXISTS embeddings (
        chunk_id bigint NOT NULL REFERENCES chunks ON DELETE CASCADE,
        model text NOT NULL,
        dimensions integer NOT NULL CHECK (dimensions = vector_dims(embedding)),
        embedding vector NOT NULL,
        PRIMARY KEY (chunk_id, model)
      );
      -- Which model of that name made it: a digest. NULL: not known.
      ALTER TABLE embeddings ADD COLUMN IF NOT EXISTS revision text;
      ${indexes.join('')}
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON embeddings TO hapax_runtime;
      END IF;
    EXCEPTION
      WHEN insufficient_privilege THEN RAISE NOTICE 'no right to create the extension vector; continuing without it';
    END $$`);
}
