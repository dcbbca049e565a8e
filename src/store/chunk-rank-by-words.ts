import { type SQL, sql } from 'drizzle-orm';
import { quorumOf, type WeightedWord } from '../domain/quorum.ts';
import type { ChunkFilter } from './chunk-filter.ts';
import type { RankedChunk } from './chunk-rank-by-meaning.ts';
import type { Db } from './database.ts';

/** How many chunks are ranked: enough for a page of 100 results with a few chunks each. */
const RANKED_CHUNKS = 200;
/** The share of the query's weight that a chunk needs to be an answer: a question has words in common with much that is none. */
const QUORUM = 0.6;
/** In a search by words alone, chunks with one of this many of the rarest words are ranked too. */
const RARE_WORDS = 4;
/** How many chunks are compared: of those with a quorum, and of those with each of the rarest words. */
const COMPARED_CHUNKS = 500;

/**
 * Chunks by the words that they have in common with the query. Rare words count more than common ones, and words of the
 * title more than others.
 * @param words the rarest first.
 * @param alone whether this is the only ranking: then a chunk with little of the query is better than none.
 */
export async function rankChunksByWords(
  db: Db,
  words: readonly WeightedWord[],
  filter: ChunkFilter | undefined,
  alone: boolean,
): Promise<RankedChunk[]> {
  if (words.length === 0) return [];
  const rare = alone ? words.slice(0, RARE_WORDS).map(({ term }) => term) : [];
  return db.execute<RankedChunk>(sql`
    WITH asked AS MATERIALIZED (
      SELECT term::tsquery, weight FROM jsonb_to_recordset(${JSON.stringify(words)}::jsonb) AS word (term text, weight float8)
    )${filter?.few ? few(filter.condition) : sql``}
    SELECT content_id, id AS chunk_id
    FROM (
      SELECT DISTINCT ON (chunk.id) chunk.*
      FROM jsonb_array_elements_text(${JSON.stringify([quorumOf(words, QUORUM), ...rare])}::jsonb) AS sought, LATERAL (
        ${fitting(filter)} LIMIT ${COMPARED_CHUNKS}
      ) AS chunk
    ) AS candidate, LATERAL (
      SELECT sum(weight * ts_rank(words, term)) AS score FROM asked WHERE words @@ term
    ) AS compared
    ORDER BY score DESC, id LIMIT ${RANKED_CHUNKS}`);
}

const few = (condition: SQL) => sql`, few AS MATERIALIZED (
  SELECT chunks.id, content_id, words FROM contents JOIN chunks ON content_id = contents.id WHERE ${condition}
)`;

/** The index itself finds what has a quorum, beginning with the rarest words, so no chunk without one is read. */
function fitting(filter: ChunkFilter | undefined): SQL {
  if (filter?.few) return sql`SELECT id, content_id, words FROM few WHERE words @@ sought::tsquery`;
  const found = sql`SELECT id, content_id, words FROM chunks WHERE words @@ sought::tsquery`;
  if (!filter) return found;
  return sql`SELECT * FROM (${found} OFFSET 0) AS found WHERE (SELECT ${filter.condition} FROM contents WHERE contents.id = content_id)`;
}
