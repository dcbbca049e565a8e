import { type Db, inTransaction } from '../database.ts';
import type { ChunkFilter } from './chunk-filter.ts';
import type { ChunkId } from './content-store.ts';
import { isMadeBy } from './vector-maker.ts';

/** The vector of a query, and the model that made it. */
export interface QueryVector {
  model: string;
  /** Distinguishes models with that name: see {@link VectorMaker}. */
  revision?: string | undefined;
  values: number[];
}

export interface RankedChunk {
  content_id: string;
  chunk_id: ChunkId;
}

/** How many neighbours pgvector keeps while it walks its graph. Its default, 40, finds fewer than a page. */
const EF_SEARCH = 120;

/** Ranks chunks by how close their vectors are to that of the query. */
export async function rankChunksByMeaning(
  db: Db,
  { model, revision, values }: QueryVector,
  filter: ChunkFilter | undefined,
): Promise<RankedChunk[]> {
  // A literal instead of a parameter, so that the planner finds the index for this length.
  const length = db.unsafe(String(Math.trunc(values.length)));
  const made = isMadeBy(db, { model, revision, dimensions: values.length });
  const distance = db`embedding::halfvec(${length}) <=> ${JSON.stringify(values)}::halfvec(${length})`;
  if (filter?.few) {
    return db<RankedChunk[]>`
      SELECT content_id, id AS chunk_id
      FROM (
        SELECT chunks.id, content_id FROM contents JOIN chunks ON content_id = contents.id WHERE ${filter.condition} OFFSET 0
      ) AS few, LATERAL (
        SELECT ${distance} AS distance FROM embeddings
        WHERE chunk_id = few.id AND ${made} OFFSET 0
      ) AS compared
      ORDER BY distance LIMIT ${EF_SEARCH}`;
  }
  const passes = filter ? db`(SELECT ${filter.condition} FROM contents WHERE contents.id = content_id)` : db`true`;
  return inTransaction(db, async (tx) => {
    // The scan continues until enough rows pass the filter. The planner does not know how many do, so it must not sort all rows.
    await tx`
      SELECT set_config('hnsw.ef_search', ${String(EF_SEARCH)}, true), set_config('hnsw.iterative_scan', 'strict_order', true),
             set_config('enable_sort', 'off', true)`;
    return tx<RankedChunk[]>`
      SELECT content_id, chunk_id FROM embeddings JOIN chunks ON chunks.id = chunk_id
      WHERE ${made} AND ${passes}
      ORDER BY ${distance} LIMIT ${EF_SEARCH}`;
  });
}
