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
/** A word in so many chunks is common, however many more there are. */
const COMMON = 1_000;
/** Chunks are looked for by so many of the query's rarest words, and so many compared for each. */
const RARE_WORDS = 4;
const COMPARED_CHUNKS = 500;
/**
 * Where meaning is ranked too, words count only for chunks with this share of the query's weight: a question shares words
 * with much that is no answer to it.
 */
const SHARE_BESIDE_MEANING = 0.6;
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
    rankByWords(db, query.text, condition, query.vector ? SHARE_BESIDE_MEANING : 0),
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

/**
 * Chunks by the words that they share with the query, rare ones counting more than common ones, and those of the title more
 * than others.
 * @param share of the query's weight that a chunk must have.
 */
async function rankByWords(db: Db, text: string, condition: SQL, share: number): Promise<RankedChunk[]> {
  return db.execute<RankedChunk>(sql`
    WITH asked AS (
      SELECT term, (SELECT count(*) FROM (SELECT FROM chunks WHERE words @@ term LIMIT ${COMMON}) AS counted) AS frequency
      FROM unnest(to_tsvector('english', ${text})) AS word,
           CAST('''' || replace(replace(word.lexeme, '\\', '\\\\'), '''', '''''') || '''' AS tsquery) AS term
    ), weighted AS (
      SELECT term, frequency, ln(1 + greatest(reltuples, 10000) / frequency) AS weight
      FROM asked, pg_class WHERE frequency > 0 AND pg_class.oid = 'chunks'::regclass
    ), candidates AS (
      SELECT chunk.* FROM (SELECT term FROM weighted ORDER BY frequency LIMIT ${RARE_WORDS}) AS rare, LATERAL (
        SELECT chunks.id, content_id, words FROM chunks JOIN contents ON contents.id = content_id
        WHERE words @@ term AND ${condition} LIMIT ${COMPARED_CHUNKS}
      ) AS chunk
      UNION
      SELECT * FROM (
        SELECT chunks.id, content_id, words FROM chunks JOIN contents ON contents.id = content_id
        WHERE words @@ plainto_tsquery('english', ${text}) AND ${condition} LIMIT ${COMPARED_CHUNKS}
      ) AS having_all
    )
    SELECT content_id, candidates.id AS chunk_id FROM candidates JOIN weighted ON words @@ term
    GROUP BY content_id, candidates.id
    HAVING sum(weight) >= ${share} * (SELECT sum(weight) FROM weighted)
    ORDER BY sum(weight * ts_rank(words, term)) DESC, candidates.id LIMIT ${RANKED_CHUNKS}`);
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
