import type { Chunk, ChunkEmbedding, ChunkId } from '../content/content-store.ts';
import type { VectorMaker } from '../content/vector-maker.ts';
import { IS_MADE, makerValues } from './content-row.ts';
import { vectorField } from './schema.ts';
import type { SurrealDatabase } from './surrealdb.ts';

/** The id of a chunk in SurrealDB. */
export type ChunkKey = [content: string, version: number, seq: number];

export const chunkIdOf = (key: ChunkKey): ChunkId => JSON.stringify(key);
export const chunkKeyOf = (id: ChunkId): ChunkKey => JSON.parse(String(id));

/** Lists up to `limit` chunks without a vector of this maker: see the port. */
export async function listUnembeddedChunks(
  surreal: SurrealDatabase,
  content: string,
  maker: VectorMaker,
  { after, limit }: { after: number; limit: number },
): Promise<Chunk[]> {
  const [, chunks] = await surreal.query<[undefined, Array<{ version: number; seq: number; text: string }>]>(
    `LET $made = (SELECT VALUE seq FROM embedding WHERE content = $content AND ${IS_MADE});
     SELECT version, seq, text FROM chunk
     WHERE content = $content AND seq > $after AND seq NOT IN $made ORDER BY seq LIMIT $limit`,
    { content, ...makerValues(maker), after, limit },
  );
  return chunks.map(({ version, seq, text }) => ({ id: chunkIdOf([content, version, seq]), seq, text }));
}

/** Saves vectors: see the port. The id of each is its chunk and model. Looks twice, as saving a summary does. */
export async function saveEmbeddings(
  surreal: SurrealDatabase,
  { model, revision }: Pick<VectorMaker, 'model' | 'revision'>,
  embeddings: ChunkEmbedding[],
): Promise<void> {
  const rows = embeddings.map(({ chunk_id, embedding }) => {
    const key = chunkKeyOf(chunk_id);
    const [content, version, seq] = key;
    const { length: dimensions } = embedding;
    const row = { content, version, seq, model, revision, dimensions, [vectorField(dimensions)]: embedding };
    return { key, name: [...key, model], row };
  });
  await surreal.query(
    `FOR $made IN $rows {
       LET $chunk = (SELECT type, tags FROM type::record('chunk', $made.key))[0];
       LET $id = type::record('embedding', $made.name);
       LET $known = (SELECT dimensions, revision FROM $id)[0];
       LET $isOfAnother = $known.dimensions != $made.row.dimensions
         OR ($known.revision != NONE AND $made.row.revision != NONE AND $known.revision != $made.row.revision);
       IF $chunk != NONE AND ($known = NONE OR $isOfAnother) {
         UPSERT $id CONTENT object::extend($made.row, $chunk);
       };
     };
     FOR $made IN $rows {
       IF type::record('chunk', $made.key).version = NONE { DELETE type::record('embedding', $made.name) };
     }`,
    { rows },
  );
}

/** Lists contents whose vectors are from other makers: see the port. */
export async function listOutdated(
  surreal: SurrealDatabase,
  maker: VectorMaker,
  after: string,
  limit: number,
): Promise<string[]> {
  const [contents] = await surreal.query<[string[]]>(
    `SELECT VALUE content FROM (
       SELECT content, seq, math::max(IF ${IS_MADE} { 1 } ELSE { 0 }) AS made FROM embedding
       WHERE content > $after GROUP BY content, seq
     ) WHERE made = 0`,
    { ...makerValues(maker), after },
  );
  return [...new Set(contents)].toSorted((one, other) => (one < other ? -1 : 1)).slice(0, limit);
}
