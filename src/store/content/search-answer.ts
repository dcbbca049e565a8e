import type { SearchAnswer, SearchArguments } from '../../contracts/content/content.ts';
import type { QueryVector } from './chunk-rank-by-meaning.ts';
import type { ContentStore } from './content-store.ts';

/** Turns a query into a vector with the configured model; undefined if none is configured. */
export type EmbedQuery = ((text: string) => Promise<QueryVector>) | undefined;

/** Answers a search by meaning and words, or by words alone with a note that says why. */
export async function answerSearch(
  content: ContentStore,
  embedQuery: EmbedQuery,
  args: SearchArguments,
): Promise<SearchAnswer> {
  const { query, limit, type, tags } = args;
  const embedded = vectorOf(content, embedQuery, query);
  const found = await content.search({
    text: query,
    vector: embedded.then(({ vector }) => vector),
    limit,
    filter: { type, tags },
  });
  const { vector, note } = await embedded;
  return {
    query,
    results: found.map(({ content: { content_id, type, title, url, tags }, score, snippet, matchedBy }) => ({
      ...{ content_id, type, title, url, tags },
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
  content: ContentStore,
  embedQuery: EmbedQuery,
  query: string,
): Promise<{ vector?: QueryVector; note?: string }> {
  if (!embedQuery) return { note: 'by words only: no embedding model is configured (OLLAMA_URL)' };
  const missing = await content.whyNoVectors();
  if (missing !== undefined) return { note: `by words only: ${missing}` };
  try {
    return { vector: await embedQuery(query) };
  } catch (error) {
    // Half an answer now is worth more than a whole one that never comes.
    return { note: `by words only: ${(error as Error).message}` };
  }
}
