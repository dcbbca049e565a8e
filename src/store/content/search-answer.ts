import type { SearchAnswer, SearchArguments } from '../../contracts/content/content.ts';
import type { Db } from '../database.ts';
import type { QueryVector } from './chunk-rank-by-meaning.ts';
import { searchContent } from './content-search.ts';
import { hasEmbeddings } from './embedding-available.ts';

/** The query as the configured model sees it; undefined where none is configured. */
export type EmbedQuery = ((text: string) => Promise<QueryVector>) | undefined;

/** Answers a search by meaning and words, or by words alone, and then says why. */
export async function answerSearch(db: Db, embedQuery: EmbedQuery, args: SearchArguments): Promise<SearchAnswer> {
  const { query, limit, type, tags } = args;
  const embedded = vectorOf(db, embedQuery, query);
  const found = await searchContent(db, {
    text: query,
    vector: embedded.then(({ vector }) => vector),
    limit,
    filter: { type, tags },
  });
  const { vector, note } = await embedded;
  return {
    query,
    results: found.map(({ content, score, snippet, matchedBy }) => ({
      content_id: content.content_id,
      type: content.type,
      title: content.title,
      url: content.url,
      tags: content.tags,
      score,
      snippet,
      matched_by: matchedBy,
    })),
    method: vector ? 'hybrid' : 'lexical',
    model: vector?.model ?? null,
    ...(note === undefined ? {} : { note }),
  };
}

async function vectorOf(
  db: Db,
  embedQuery: EmbedQuery,
  query: string,
): Promise<{ vector?: QueryVector; note?: string }> {
  if (!embedQuery) return { note: 'by words only: no embedding model is configured (OLLAMA_URL)' };
  if (!(await hasEmbeddings(db))) return { note: 'by words only: this Postgres has no pgvector 0.8 or later' };
  try {
    return { vector: await embedQuery(query) };
  } catch (error) {
    // Half an answer now is worth more than a whole one that does not come.
    return { note: `by words only: ${(error as Error).message}` };
  }
}
