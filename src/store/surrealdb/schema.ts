/** Lengths of vectors that get an index, as in Postgres: those of common models. A search finds others too, by reading all of them. */
export const INDEXED_DIMENSIONS: readonly number[] = [384, 512, 768, 1024];

/** Returns the name of the field for vectors of this length: an index covers one length. */
export const vectorField = (length: number) => `vector_${Math.trunc(length)}`;

/**
 * Tables and indexes, created if missing. Hapax itself cuts text into lexemes (`domain/content/search-words.ts`), so the
 * analyzer only splits them at spaces. The id of a row says what it belongs to, so writing a row again overwrites it.
 */
export const SCHEMA = `
DEFINE ANALYZER IF NOT EXISTS lexemes TOKENIZERS blank;
DEFINE TABLE IF NOT EXISTS content SCHEMALESS;
DEFINE INDEX IF NOT EXISTS content_newest ON content FIELDS created_at;
DEFINE INDEX IF NOT EXISTS content_key ON content FIELDS key UNIQUE;
DEFINE TABLE IF NOT EXISTS chunk SCHEMALESS;
DEFINE INDEX IF NOT EXISTS chunk_of_content ON chunk FIELDS content;
DEFINE INDEX IF NOT EXISTS chunk_by_word ON chunk FIELDS lexemes FULLTEXT ANALYZER lexemes BM25;
DEFINE INDEX IF NOT EXISTS chunk_to_index ON chunk FIELDS words_form;
DEFINE TABLE IF NOT EXISTS summary SCHEMALESS;
DEFINE INDEX IF NOT EXISTS summary_of_content ON summary FIELDS content;
DEFINE TABLE IF NOT EXISTS embedding SCHEMALESS;
DEFINE INDEX IF NOT EXISTS embedding_of_content ON embedding FIELDS content;
${INDEXED_DIMENSIONS.map((length) => `DEFINE INDEX IF NOT EXISTS embedding_${length} ON embedding FIELDS ${vectorField(length)} HNSW DIMENSION ${length} DIST COSINE TYPE F32;`).join('\n')}
`;
