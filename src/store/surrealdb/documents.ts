import type { Stem } from '../content/chunk-index.ts';
import type { ContentDocument } from '../content/content-document.ts';
import type { ContentRow } from '../content/content-row.ts';
import { wordsOfChunks } from './chunk-words.ts';
import { ROW } from './content-row.ts';
import { vectorField } from './schema.ts';
import type { SurrealDatabase } from './surrealdb.ts';

/** How many vectors go into one request: a server takes requests of 4 MiB. */
const VECTORS = 64;

/** Lists up to `limit` ids of contents, in order: see the port. */
export async function listContentIds(surreal: SurrealDatabase, after: string, limit: number): Promise<string[]> {
  const [rows] = await surreal.query<[Array<{ key: string }>]>(
    'SELECT key FROM content WHERE key > $after ORDER BY key LIMIT $limit',
    { after, limit },
  );
  return rows.map(({ key }) => key);
}

type VectorRow = { seq: number; model: string; revision?: string | null; dimensions: number } & Record<string, unknown>;

/** Reads a content with everything made from it: see the port. */
export async function readDocument(surreal: SurrealDatabase, id: string): Promise<ContentDocument | undefined> {
  const [[row], chunks, embeddings, summaries] = await surreal.query<
    [ContentRow[], Array<{ text: string }>, VectorRow[], Array<ContentDocument['summaries'][number]>]
  >(
    `SELECT ${ROW} FROM type::record('content', $id);
     SELECT seq, text FROM chunk WHERE content = $id ORDER BY seq;
     SELECT * OMIT id FROM embedding WHERE content = $id ORDER BY seq, model;
     SELECT model, part, text, revision, created_at FROM summary WHERE content = $id ORDER BY model, part`,
    { id },
  );
  if (!row) return undefined;
  return {
    row,
    chunks: chunks.map(({ text }) => text),
    embeddings: embeddings.map(({ seq, model, revision = null, dimensions, ...fields }) => ({
      ...{ seq, model, revision },
      embedding: fields[vectorField(dimensions)] as number[],
    })),
    summaries: summaries.map(({ model, part, text, revision = null, created_at }) => ({
      ...{ model, part, text, revision, created_at },
    })),
  };
}

/**
 * Saves a content as another store had it: see the port. First saves everything but its vectors, all or nothing, then the
 * vectors. If it is interrupted in between, the caller starts over.
 */
export async function putDocument(
  surreal: SurrealDatabase,
  stem: Stem,
  { row: { id, ...given }, chunks: texts, embeddings, summaries }: ContentDocument,
): Promise<void> {
  const { version, type, tags } = given;
  const words = await wordsOfChunks(
    stem,
    texts.map((text) => ({ title: given.title, text })),
  );
  const place = { content: id, version };
  await surreal.write(
    `{
       UPSERT type::record('content', $row.key) CONTENT $row;
       DELETE chunk WHERE content = $row.key;
       DELETE embedding WHERE content = $row.key;
       DELETE summary WHERE content = $row.key;
       FOR $chunk IN $chunks { UPSERT type::record('chunk', [$row.key, $row.version, $chunk.seq]) CONTENT $chunk };
       FOR $one IN $summaries { UPSERT type::record('summary', [$row.key, $row.version, $one.model, $one.part]) CONTENT $one };
     }`,
    {
      row: { ...given, key: id },
      chunks: texts.map((text, index) => ({ ...place, seq: index + 1, type, tags, text, ...words[index] })),
      summaries: summaries.map((summary) => ({ ...place, ...known(summary) })),
    },
  );
  for (let from = 0; from < embeddings.length; from += VECTORS) {
    const rows = embeddings.slice(from, from + VECTORS).map(({ embedding, ...one }) => {
      const { length: dimensions } = embedding;
      return { ...place, type, tags, ...known(one), dimensions, [vectorField(dimensions)]: embedding };
    });
    await surreal.query(
      "FOR $row IN $rows { UPSERT type::record('embedding', [$row.content, $row.version, $row.seq, $row.model]) CONTENT $row }",
      { rows },
    );
  }
}

/** Omits the revision if it is unknown: SurrealDB has no field then. */
function known<Row extends { revision: string | null }>({ revision, ...row }: Row) {
  return { ...row, ...(revision === null ? {} : { revision }) };
}
