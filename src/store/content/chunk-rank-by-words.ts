import { quorumOf } from '../../domain/celery/quorum.ts';
import type { WeighedQuery } from '../../domain/content/weighed-query.ts';
import { QUORUM, RARE_WORDS } from '../../domain/content/word-ranking.ts';
import type { Db, Fragment } from '../database.ts';
import type { ChunkFilter } from './chunk-filter.ts';
import type { RankedChunk } from './chunk-rank-by-meaning.ts';

/** How many chunks are ranked, at most two of each content: enough for a page of 100 results. */
const RANKED_CHUNKS = 200;
/** How many chunks are compared: of those with a quorum of the words, and of those with each of the rarest words. */
const COMPARED_CHUNKS = 500;
/** How many chunks with all words of a phrase are searched for the phrase. */
const PHRASE_CHUNKS = 5_000;

export interface ChunkWithWords extends RankedChunk {
  /** Whether it has every word of the query. */
  has_all: boolean;
}

/**
 * Ranks chunks by the words that they share with the query. Rare words count more than common ones, words of the title more
 * than others, and words exactly as in the query more than their other forms. Of each content, returns the best chunk and the best one
 * of those with every word.
 * @param alone whether this is the only ranking: then a chunk with little of the query is better than none.
 */
export async function rankChunksByWords(
  db: Db,
  { words, phrases, verbatim, complete }: WeighedQuery,
  filter: ChunkFilter | undefined,
  alone: boolean,
): Promise<ChunkWithWords[]> {
  if (words.length === 0) return [];
  const rare = alone ? words.slice(0, RARE_WORDS).map(({ term }) => term) : [];
  const sought = [quorumOf(words, QUORUM), ...rare].map((term) => ({ term, limit: COMPARED_CHUNKS }));
  const soughtPhrases = phrases.map(({ term, exact }) => ({ term, exact, limit: PHRASE_CHUNKS }));
  const asked = [...words, ...phrases.map((phrase) => ({ ...phrase, term: phrase.exact }))];
  return db<ChunkWithWords[]>`
    WITH asked AS MATERIALIZED (
      SELECT term::tsquery, exact::tsquery, weight
      FROM jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) AS word (term text, exact text, weight float8)
    )${filter?.few ? few(db, filter.condition) : db``}, scored AS (
      SELECT id, content_id, has_all,
             score + CASE WHEN words @@ ${verbatim ?? ''}::tsquery THEN ${words[0]?.weight ?? 0}::float8 ELSE 0 END AS score
      FROM (
        -- Unpacked once here, not again for each of the comparisons below.
        SELECT id, content_id, words || ''::tsvector AS words FROM (
          SELECT DISTINCT ON (chunk.id) chunk.*
          FROM jsonb_to_recordset(${JSON.stringify([...sought, ...soughtPhrases])}::jsonb) AS sought (term text, exact text, "limit" bigint),
          LATERAL (
            SELECT * FROM (${fitting(db, filter)} LIMIT sought."limit") AS near
            WHERE sought.exact IS NULL OR near.words @@ sought.exact::tsquery
          ) AS chunk
        ) AS found OFFSET 0
      ) AS candidate, LATERAL (
        SELECT sum(CASE WHEN words @@ term THEN weight * ts_rank(words, term) ELSE 0 END
                 + CASE WHEN words @@ exact THEN weight * ts_rank(words, exact) ELSE 0 END) AS score,
               bool_and(words @@ term) AS has_all
        FROM asked
      ) AS compared
    ), ranked AS (
      SELECT *, row_number() OVER (PARTITION BY content_id ORDER BY score DESC, id) AS place,
             row_number() OVER (PARTITION BY content_id ORDER BY has_all DESC, score DESC, id) AS place_by_all
      FROM scored
    )
    SELECT content_id, id AS chunk_id, ${complete}::boolean AND has_all AS has_all
    FROM ranked WHERE place = 1 OR place_by_all = 1
    ORDER BY score DESC, id LIMIT ${RANKED_CHUNKS}`;
}

const few = (db: Db, condition: Fragment) => db`, few AS MATERIALIZED (
  SELECT chunks.id, content_id, words FROM contents JOIN chunks ON content_id = contents.id WHERE ${condition}
)`;

/**
 * Selects the chunks that match a term. The index itself finds those with a quorum, beginning with the rarest words, so no
 * other chunk is read.
 */
function fitting(db: Db, filter: ChunkFilter | undefined): Fragment {
  if (filter?.few) return db`SELECT id, content_id, words FROM few WHERE words @@ sought.term::tsquery`;
  const found = db`SELECT id, content_id, words FROM chunks WHERE words @@ sought.term::tsquery`;
  if (!filter) return found;
  return db`SELECT * FROM (${found} OFFSET 0) AS found WHERE (SELECT ${filter.condition} FROM contents WHERE contents.id = content_id)`;
}
