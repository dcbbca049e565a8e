import type { ContentFilter } from '../../contracts/content/content.ts';
import { fuseRanks } from '../../domain/content/rank-fusion.ts';
import type { Db } from '../database.ts';
import { weighAskedWords } from './asked-word-weigh.ts';
import { readChunkFilter } from './chunk-filter.ts';
import { type QueryVector, type RankedChunk, rankChunksByMeaning } from './chunk-rank-by-meaning.ts';
import { type ChunkWithWords, rankChunksByWords } from './chunk-rank-by-words.ts';
import { type ContentRow, contentFromRow } from './content-row.ts';
import type { ChunkId } from './content-store.ts';

export interface FoundContent {
  content: ReturnType<typeof contentFromRow>;
  score: number;
  /** The best chunk. */
  snippet: string;
  /** Why it was found. */
  matchedBy: Array<'all_words' | 'some_words' | 'meaning'>;
}

export interface SearchQuery {
  text: string;
  /** May be a promise: whatever does not need the vector is done meanwhile. */
  vector: QueryVector | undefined | Promise<QueryVector | undefined>;
  filter: ContentFilter;
  limit: number;
}

/** How a store ranks its chunks for one query. */
export interface Rankings {
  byMeaning(vector: QueryVector): Promise<RankedChunk[]>;
  /** @param alone whether this is the only ranking: then a chunk with little of the query is better than none. */
  byWords(alone: boolean): Promise<ChunkWithWords[]>;
  readContents(ids: string[]): Promise<ContentRow[]>;
  readChunks(ids: ChunkId[]): Promise<Array<{ content_id: string; text: string }>>;
}

/**
 * Ranks content that fits a query, best first: by words and, if the query has a vector, by meaning too. Reciprocal ranks
 * merge both rankings. Text that has every word of the query comes before text that does not.
 */
export async function rankContents(
  rankings: Rankings,
  vector: QueryVector | undefined,
  limit: number,
): Promise<FoundContent[]> {
  const [byMeaning, quorate] = await Promise.all([
    vector ? rankings.byMeaning(vector) : [],
    rankings.byWords(vector === undefined),
  ]);
  // No chunk has a vector of this model, as after a change of the model. Only words are left.
  const onlyWords = vector !== undefined && byMeaning.length === 0;
  const byWords = onlyWords ? await rankings.byWords(true) : quorate;
  const having = byWords.filter(({ has_all }) => has_all);
  const best = new Map<string, ChunkId>();
  for (const { content_id, chunk_id } of [...having, ...byMeaning, ...byWords]) {
    if (!best.has(content_id)) best.set(content_id, chunk_id);
  }
  // If ranks are equal, the text that has the words comes first.
  const fused = fuseRanks([contentsOf(byWords), contentsOf(byMeaning)], contentsOf(having)).slice(0, limit);
  if (fused.length === 0) return [];
  const ids = fused.map(({ id }) => id);
  const [rows, texts] = await Promise.all([
    rankings.readContents(ids),
    rankings.readChunks(ids.map((id) => best.get(id)!)),
  ]);
  const snippets = new Map(texts.map(({ content_id, text }) => [content_id, text]));
  const found = new Map(rows.map((row) => [row.id, row]));
  const [withAll, withSome, meaning] = [having, byWords, byMeaning].map((chunks) => new Set(contentsOf(chunks)));
  const reasons = (id: string): FoundContent['matchedBy'] => [
    ...(withAll?.has(id) ? (['all_words'] as const) : withSome?.has(id) ? (['some_words'] as const) : []),
    ...(meaning?.has(id) ? (['meaning'] as const) : []),
  ];
  return fused.flatMap(({ id, score }) => {
    const row = found.get(id);
    return row
      ? [{ content: contentFromRow(row), score, snippet: snippets.get(id) ?? '', matchedBy: reasons(id) }]
      : [];
  });
}

/** Returns each content once, at the place of its best chunk. */
function contentsOf(chunks: RankedChunk[]): string[] {
  return [...new Set(chunks.map(({ content_id }) => content_id))];
}

/** Searches content in Postgres: see {@link rankContents}. */
export async function searchContent(db: Db, query: SearchQuery): Promise<FoundContent[]> {
  const [words, filter, vector] = await Promise.all([
    weighAskedWords(db, query.text),
    readChunkFilter(db, query.filter),
    query.vector,
  ]);
  if (!words.asks) return [];
  const rankings: Rankings = {
    byMeaning: (asked) => rankChunksByMeaning(db, asked, filter),
    byWords: (alone) => rankChunksByWords(db, words, filter, alone),
    readContents: (ids) => db<ContentRow[]>`SELECT * FROM contents WHERE id IN ${db(ids)}`,
    readChunks: (ids) => db<Array<{ content_id: string; text: string }>>`
      SELECT content_id, text FROM chunks WHERE id IN ${db(ids)}`,
  };
  return rankContents(rankings, vector, query.limit);
}
