import { inArray, type SQL, sql } from 'drizzle-orm';
import type { ContentFilter } from '../contracts/content.ts';
import { fuseRanks } from '../domain/rank-fusion.ts';
import { matchesFilter } from './content-list.ts';
import { type ContentRow, contentFromRow } from './content-row.ts';
import { type Db, inTransaction } from './database.ts';
import { contents } from './schema.ts';

/** The query as a model sees it. */
export interface QueryVector {
  model: string;
  values: number[];
}

export interface FoundContent {
  content: ReturnType<typeof contentFromRow>;
  score: number;
  /** The chunk that fits best. */
  snippet: string;
}

/** How far down each ranking is read: deep enough for pages of 100 of which every content has a few chunks. */
const RANKED_CHUNKS = 200;
/** Of chunks that have only some of the words, at most so many are compared: words that stand everywhere tell little. */
const COMPARED_CHUNKS = 5_000;
/** Neighbours that pgvector keeps while it walks its graph (its default, 40, finds fewer than a page). */
const EF_SEARCH = 120;

interface RankedChunk extends Record<string, unknown> {
  content_id: string;
  chunk_id: string;
}

/**
 * Content that fits a query, best first: by its words, and where the query has a vector, by its meaning too, both
 * rankings merged by reciprocal ranks.
 */
export async function searchContent(
  db: Db,
  query: { text: string; vector: QueryVector | undefined; filter: ContentFilter; limit: number },
): Promise<FoundContent[]> {
  const condition = matchesFilter(query.filter) ?? sql`true`;
  const [byMeaning, byWords] = await Promise.all([
    query.vector ? rankByMeaning(db, query.vector, condition) : [],
    rankByWords(db, query.text, condition),
  ]);
  const best = new Map<string, string>();
  for (const { content_id, chunk_id } of [...byMeaning, ...byWords]) {
    if (!best.has(content_id)) best.set(content_id, chunk_id);
  }
  const fused = fuseRanks([contentsOf(byMeaning), contentsOf(byWords)]).slice(0, query.limit);
  if (fused.length === 0) return [];
  const [rows, snippets] = await Promise.all([
    db
      .select()
      .from(contents)
      .where(
        inArray(
          contents.id,
          fused.map(({ id }) => id),
        ),
      ),
    readChunks(
      db,
      fused.map(({ id }) => best.get(id)!),
    ),
  ]);
  const found = new Map<string, ContentRow>(rows.map((row) => [row.id, row]));
  return fused.flatMap(({ id, score }) => {
    const row = found.get(id);
    return row ? [{ content: contentFromRow(row), score, snippet: snippets.get(id) ?? '' }] : [];
  });
}

/** Each content once, where its best chunk stands. */
function contentsOf(chunks: RankedChunk[]): string[] {
  return [...new Set(chunks.map(({ content_id }) => content_id))];
}

function rankByMeaning(db: Db, { model, values }: QueryVector, condition: SQL): Promise<RankedChunk[]> {
  // Written out, so that the planner sees that the index of this length serves.
  const length = sql.raw(String(Math.trunc(values.length)));
  return inTransaction(db, async (tx) => {
    // The scan goes on until enough rows pass the filter; without this a rare tag would find next to nothing.
    await tx.execute(sql`
      SELECT set_config('hnsw.ef_search', ${String(EF_SEARCH)}, true), set_config('hnsw.iterative_scan', 'strict_order', true)`);
    return tx.execute<RankedChunk>(sql`
      SELECT content_id, chunk_id
      FROM embeddings JOIN chunks ON chunks.id = chunk_id JOIN contents ON contents.id = content_id
      WHERE dimensions = ${length} AND model = ${model} AND ${condition}
      ORDER BY embedding::vector(${length}) <=> ${JSON.stringify(values)}::vector(${length}) LIMIT ${EF_SEARCH}`);
  });
}

/** Chunks with all the words first; where they are few, then those with some, by how much of the query they have. */
async function rankByWords(db: Db, text: string, condition: SQL): Promise<RankedChunk[]> {
  const all = await rankMatches(db, sql`websearch_to_tsquery('english', ${text})`, condition);
  if (all.length >= RANKED_CHUNKS) return all;
  const some = sql`replace(plainto_tsquery('english', ${text})::text, ' & ', ' | ')::tsquery`;
  return [...all, ...(await rankMatches(db, some, condition))];
}

async function rankMatches(db: Db, query: SQL, condition: SQL): Promise<RankedChunk[]> {
  return db.execute<RankedChunk>(sql`
    WITH matching AS (
      SELECT content_id, chunks.id AS chunk_id, words, asked
      FROM (SELECT ${query} AS asked) AS question, chunks JOIN contents ON contents.id = content_id
      WHERE words @@ asked AND ${condition} LIMIT ${COMPARED_CHUNKS}
    )
    SELECT content_id, chunk_id FROM matching
    ORDER BY ts_rank_cd(words, asked) DESC, chunk_id LIMIT ${RANKED_CHUNKS}`);
}

async function readChunks(db: Db, ids: string[]): Promise<Map<string, string>> {
  const rows = await db.execute<{ content_id: string; text: string }>(sql`
    SELECT content_id, text FROM chunks
    WHERE id IN (${sql.join(
      ids.map((id) => sql`${id}::bigint`),
      sql`, `,
    )})`);
  return new Map(rows.map(({ content_id, text }) => [content_id, text]));
}
