import { type Asked, askedWordsOf } from '../../domain/content/asked-words.ts';
import { CANDIDATE_CHUNKS } from '../../domain/content/content-capabilities.ts';
import { type Lexemes, readLexemes } from '../../domain/content/lexeme-query.ts';
import { stemmableOf, wordGroupsOf } from '../../domain/content/search-words.ts';
import { rankByWords, soughtLexemes, weighAmong } from '../../domain/content/word-ranking.ts';
import type { Stem } from '../content/chunk-index.ts';
import type { QueryVector, RankedChunk } from '../content/chunk-rank-by-meaning.ts';
import type { ContentRow } from '../content/content-row.ts';
import { type FoundContent, type Rankings, rankContents, type SearchQuery } from '../content/content-search.ts';
import { indexTermsOf } from './chunk-words.ts';
import { filterValues, IS_MADE, makerValues, PASSES, ROW } from './content-row.ts';
import { type ChunkKey, chunkIdOf, chunkKeyOf } from './embeddings.ts';
import { INDEXED_DIMENSIONS, vectorField } from './schema.ts';
import type { SurrealDatabase } from './surrealdb.ts';

/** How many chunks are ranked by meaning, as in Postgres. */
const RANKED_BY_MEANING = 120;

interface Place {
  content: string;
  version: number;
  seq: number;
}

const rankedChunk = ({ content, version, seq }: Place): RankedChunk => ({
  content_id: content,
  chunk_id: chunkIdOf([content, version, seq]),
});

/** Searches content in SurrealDB: see {@link rankContents}. */
export async function searchContent(
  surreal: SurrealDatabase,
  stem: Stem,
  { text, vector: coming, filter, limit }: SearchQuery,
): Promise<FoundContent[]> {
  const groups = wordGroupsOf(text);
  const asked = askedWordsOf(text, groups, await stem(stemmableOf(groups)));
  if (asked.words.length === 0) return [];
  const values = filterValues(filter);
  const [candidates, vector] = await Promise.all([readCandidates(surreal, asked, values), coming]);
  const lexemes = candidates.map((candidate) => candidate.lexemes);
  const weighed = weighAmong(asked, lexemes);
  const rankings: Rankings = {
    byMeaning: (query) => rankByMeaning(surreal, query, values),
    byWords: async (alone) =>
      rankByWords(weighed, lexemes, alone).map(({ index, has_all }) => ({
        ...rankedChunk(candidates[index]!.place),
        has_all,
      })),
    async readContents(ids) {
      const [rows] = await surreal.query<[ContentRow[]]>(`SELECT ${ROW} FROM content WHERE key IN $ids`, { ids });
      return rows;
    },
    async readChunks(ids) {
      const keys: ChunkKey[] = ids.map(chunkKeyOf);
      const [chunks] = await surreal.query<[Array<{ content_id: string; text: string }>]>(
        `RETURN array::flatten($keys.map(|$key| (SELECT content AS content_id, text FROM type::record('chunk', $key))))`,
        { keys },
      );
      return chunks;
    },
  };
  return rankContents(rankings, vector, limit);
}

/** Reads the chunks that fit the query best by BM25: those with all of its words, and those with some. */
async function readCandidates(
  surreal: SurrealDatabase,
  asked: Asked,
  values: Record<string, unknown>,
): Promise<Array<{ place: Place; lexemes: Lexemes }>> {
  const found = await surreal.query<Array<Array<Place & { words: string }>>>(
    ['AND', 'OR']
      .map(
        (having) => `
        SELECT content, version, seq, words, search::score(0) AS score FROM chunk
        WHERE lexemes @0,${having}@ $sought AND ${PASSES} ORDER BY score DESC LIMIT ${CANDIDATE_CHUNKS};`,
      )
      .join(''),
    { ...values, sought: indexTermsOf(soughtLexemes(asked)) },
  );
  const places = new Map(found.flat().map((chunk) => [chunkIdOf([chunk.content, chunk.version, chunk.seq]), chunk]));
  return [...places.values()].map(({ words, ...place }) => ({ place, lexemes: readLexemes(words) }));
}

async function rankByMeaning(
  surreal: SurrealDatabase,
  { model, revision, values: vector }: QueryVector,
  values: Record<string, unknown>,
): Promise<RankedChunk[]> {
  const { length: dimensions } = vector;
  const nearest = INDEXED_DIMENSIONS.includes(dimensions)
    ? `<|${RANKED_BY_MEANING},${RANKED_BY_MEANING}|>`
    : `<|${RANKED_BY_MEANING},COSINE|>`;
  const [places] = await surreal.query<[Place[]]>(
    `SELECT content, version, seq, vector::distance::knn() AS distance FROM embedding
     WHERE ${vectorField(dimensions)} ${nearest} $vector AND ${IS_MADE} AND ${PASSES} ORDER BY distance`,
    { vector, ...makerValues({ model, revision, dimensions }), ...values },
  );
  return places.map(rankedChunk);
}
