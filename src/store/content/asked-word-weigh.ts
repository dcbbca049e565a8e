import { type Asked, type AskedWord, askedWordsOf } from '../../domain/content/asked-words.ts';
import { stemmableOf, wordGroupsOf } from '../../domain/content/search-words.ts';
import { ASKS_NOTHING, type WeighedQuery, weighedQueryOf } from '../../domain/content/weighed-query.ts';
import type { Db } from '../database.ts';
import { stemWords } from './word-stem.ts';

/** A word found in this many chunks is common. The query counts no further. */
const COMMON = 1_000;
/** How many chunks with all words of a phrase are searched for the phrase. */
const PHRASE_CHUNKS = 5_000;

/** Reads a query and weighs its words. Postgres's statistics say how frequent common words are; all others are counted. */
export async function weighAskedWords(db: Db, text: string): Promise<WeighedQuery> {
  const groups = wordGroupsOf(text);
  const asked = askedWordsOf(text, groups, await stemWords(db, stemmableOf(groups)));
  if (asked.words.length === 0) return ASKS_NOTHING;
  const { words, phrases } = await weigh(db, asked);
  return weighedQueryOf(asked, words, phrases);
}

/** Returns the weight of each word, undefined if no chunk has it, and for each phrase whether a chunk has it. */
async function weigh(db: Db, { words, phrases }: Asked) {
  const given = (asked: AskedWord[]) =>
    JSON.stringify(asked.map(({ term, exact, lexeme }, index) => ({ index, term, exact, lexeme })));
  const [weights, found] = await Promise.all([
    db<Array<{ index: number; weight: number }>>`
      WITH common AS MATERIALIZED (
        SELECT lexeme, share
        FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) AS element (lexeme, share)
        WHERE schemaname = current_schema() AND tablename = 'chunks' AND attname = 'words'
      ), size AS MATERIALIZED (
        SELECT greatest(reltuples, 10000) AS chunks FROM pg_class WHERE oid = 'chunks'::regclass
      )
      SELECT index, ln(1 + size.chunks / frequency) AS weight
      FROM size, jsonb_to_recordset(${given(words)}::jsonb) AS word (index integer, term text, lexeme text)
      LEFT JOIN common USING (lexeme), LATERAL (
        -- OFFSET keeps this from being written out, and counted, wherever it is used.
        SELECT coalesce(share * size.chunks, (
          SELECT count(*) FROM (SELECT FROM chunks WHERE words @@ term::tsquery LIMIT ${COMMON}) AS counted
        )) AS frequency OFFSET 0
      ) AS found
      WHERE frequency > 0`,
    phrases.length === 0
      ? []
      : db<Array<{ index: number }>>`
          SELECT index FROM jsonb_to_recordset(${given(phrases)}::jsonb) AS phrase (index integer, term text, exact text)
          WHERE EXISTS (
            SELECT FROM (SELECT words FROM chunks WHERE words @@ term::tsquery LIMIT ${PHRASE_CHUNKS} OFFSET 0) AS near
            WHERE words @@ exact::tsquery
          )`,
  ]);
  return {
    words: Object.assign(
      [] as Array<number | undefined>,
      Object.fromEntries(weights.map((row) => [row.index, row.weight])),
    ),
    phrases: Object.assign([] as boolean[], Object.fromEntries(found.map(({ index }) => [index, true]))),
  };
}
