import { sql } from 'drizzle-orm';
import type { WeightedWord } from '../domain/quorum.ts';
import type { Db } from './database.ts';

/** Of a long query the longest words are counted, since those tend to be rare; of these, the rarest are weighed. */
const COUNTED_WORDS = 32;
const WEIGHED_WORDS = 8;
/** A word found in this many chunks is common; further ones are not counted. */
const COMMON = 1_000;

/**
 * The words of a query that occur in chunks, stemmed, the rarest first. The rarer a word, the more it weighs (inverse
 * document frequency). Postgres's statistics say how common the common words are; all others are counted.
 */
export function weighAskedWords(db: Db, text: string): Promise<WeightedWord[]> {
  return db.execute<WeightedWord & Record<string, unknown>>(sql`
    WITH common AS MATERIALIZED (
      SELECT lexeme, share
      FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) AS element (lexeme, share)
      WHERE schemaname = current_schema() AND tablename = 'chunks' AND attname = 'words'
    ), size AS MATERIALIZED (
      SELECT greatest(reltuples, 10000) AS chunks FROM pg_class WHERE oid = 'chunks'::regclass
    )
    SELECT term, ln(1 + size.chunks / frequency) AS weight
    FROM size, (
      SELECT lexeme, '''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''' AS term
      FROM unnest(to_tsvector('english', ${text})) ORDER BY length(lexeme) DESC, lexeme LIMIT ${COUNTED_WORDS}
    ) AS word LEFT JOIN common USING (lexeme), LATERAL (
      -- OFFSET keeps this from being written out, and counted, wherever it is used.
      SELECT coalesce(share * size.chunks, (
        SELECT count(*) FROM (SELECT FROM chunks WHERE words @@ term::tsquery LIMIT ${COMMON}) AS counted
      )) AS frequency OFFSET 0
    ) AS found
    WHERE frequency > 0 ORDER BY frequency, term LIMIT ${WEIGHED_WORDS}`);
}
