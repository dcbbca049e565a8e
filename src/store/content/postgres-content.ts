import { textOfAnswer } from '../../domain/content/model-answer.ts';
import { inAnyCase } from '../any-case.ts';
import { allOf, checkDatabase, type Db, inTransaction } from '../database.ts';
import { pageOf } from '../page.ts';
import { matchesFilter } from './chunk-filter.ts';
import { reindexChunks } from './chunk-reindex.ts';
import { findContent, findContentDetail } from './content-find.ts';
import { type ContentRow, contentFromRow } from './content-row.ts';
import { saveContent } from './content-save.ts';
import { searchContent } from './content-search.ts';
import type { Chunk, ContentStore } from './content-store.ts';
import { putDocument } from './document-put.ts';
import { readDocument } from './document-read.ts';
import { hasEmbeddings } from './embedding-available.ts';
import { isMadeBy } from './vector-maker.ts';

/** Returns a store of content in the Postgres of the record. The caller, who opened the database, closes it. */
export function postgresContent(db: Db): ContentStore {
  return {
    kind: 'postgres',
    find: (id) => findContent(db, id),
    findDetail: (id, withChunks) => findContentDetail(db, id, withChunks),
    async list(filter, { after, limit }) {
      const isLater = after && db`(created_at, id) < (${after.created_at}, ${after.id})`;
      const rows = await db<ContentRow[]>`
        SELECT * FROM contents WHERE ${allOf(db, [matchesFilter(db, filter), isLater])}
        ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`;
      const { items, end } = pageOf(rows, limit);
      return { items: items.map(contentFromRow), end };
    },
    save: (given) => saveContent(db, given),
    async listBlobKeys() {
      const rows = await db<Array<{ key: string }>>`SELECT DISTINCT blob_key AS key FROM contents ORDER BY key`;
      return rows.map(({ key }) => key);
    },
    async listChunkTexts(id, version) {
      const rows = await db<Array<{ text: string }>>`
        SELECT text FROM chunks WHERE content_id = ${id} AND version = ${version} ORDER BY seq`;
      return rows.map(({ text }) => text);
    },
    listUnembeddedChunks: (id, maker, { after, limit }) => db<Chunk[]>`
      SELECT id, seq, text FROM chunks
      WHERE content_id = ${id} AND seq > ${after}::integer
        AND NOT EXISTS (SELECT FROM embeddings WHERE chunk_id = chunks.id AND ${isMadeBy(db, maker)})
      ORDER BY seq LIMIT ${limit}`,
    whyNoVectors: async () => ((await hasEmbeddings(db)) ? undefined : 'this Postgres has no pgvector 0.8 or later'),
    async hasEmbeddings() {
      if (!(await hasEmbeddings(db))) return false;
      const [row] = await db<Array<{ any: boolean }>>`SELECT EXISTS (SELECT FROM embeddings) AS any`;
      return row?.any === true;
    },
    async saveEmbeddings({ model, revision }, embeddings) {
      const given = embeddings.map(({ chunk_id, embedding }) => ({ chunk_id, embedding: JSON.stringify(embedding) }));
      // The lock waits for a newer version of the content that is replacing the chunks.
      await db`
        INSERT INTO embeddings AS known (chunk_id, model, revision, dimensions, embedding)
        SELECT chunks.id, ${model}, ${revision ?? null}::text, vector_dims(given.embedding::vector), given.embedding::vector
        FROM jsonb_to_recordset(${JSON.stringify(given)}::jsonb) AS given (chunk_id bigint, embedding text)
        JOIN chunks ON chunks.id = given.chunk_id FOR KEY SHARE OF chunks
        ON CONFLICT (chunk_id, model) DO UPDATE
          SET revision = excluded.revision, dimensions = excluded.dimensions, embedding = excluded.embedding
          WHERE known.dimensions <> excluded.dimensions OR known.revision <> excluded.revision`;
    },
    async listOutdated(maker, after, limit) {
      const rows = await db<Array<{ content_id: string }>>`
        SELECT DISTINCT content_id FROM embeddings AS other JOIN chunks ON chunks.id = other.chunk_id
        WHERE content_id > ${after}
          AND NOT EXISTS (SELECT FROM embeddings WHERE embeddings.chunk_id = other.chunk_id AND ${isMadeBy(db, maker)})
        ORDER BY content_id LIMIT ${limit}`;
      return rows.map(({ content_id }) => content_id);
    },
    reindexChunks: (limit) => reindexChunks(db, limit),
    async findSummary({ content_id, version, model, part }, revision) {
      const [row] = await db<Array<{ text: string; revision: string | null }>>`
        SELECT text, revision FROM summaries
        WHERE content_id = ${content_id} AND version = ${version} AND model = ${model} AND part = ${part}`;
      const isOfAnother = row?.revision && revision && row.revision !== revision;
      // An earlier version of Hapax kept the model's thoughts with the summary.
      return row && !isOfAnother ? textOfAnswer(row.text) : undefined;
    },
    async saveSummary({ content_id, version, model, part }, { text, revision }) {
      // The lock on the content lets nothing erase or replace its text in between.
      await db`
        INSERT INTO summaries (content_id, version, model, part, text, revision, created_at)
        SELECT id, version, ${model}, ${part}::integer, ${text}, ${revision ?? null}::text, now()
        FROM contents WHERE id = ${content_id} AND version = ${version} FOR SHARE
        ON CONFLICT (content_id, version, model, part) DO UPDATE
          SET text = excluded.text, revision = excluded.revision, created_at = excluded.created_at`;
    },
    search: (query) => searchContent(db, query),
    async listIds(after, limit) {
      const rows = await db<Array<{ id: string }>>`
        SELECT id FROM contents WHERE id COLLATE "C" > ${after} ORDER BY id COLLATE "C" LIMIT ${limit}`;
      return rows.map(({ id }) => id);
    },
    read: (id) => readDocument(db, id),
    put: (document) => putDocument(db, document),
    erase: (id) =>
      inTransaction(db, async (tx) => {
        // Locks the content first, as saving it does.
        await tx`SELECT FROM contents WHERE id = ${id} FOR UPDATE`;
        // Vectors are deleted with their chunks.
        await tx`DELETE FROM chunks WHERE content_id = ${id}`;
        await tx`DELETE FROM summaries WHERE content_id = ${id}`;
        await tx`DELETE FROM contents WHERE id = ${id}`;
      }),
    async findWithText(text, limit) {
      const has = (column: string) => db`${db.unsafe(column)} ~ ${inAnyCase(text)}::text`;
      const whole = "(SELECT string_agg(text, '' ORDER BY seq) FROM chunks WHERE content_id = contents.id)";
      const rows = await db<Array<{ id: string }>>`
        SELECT id FROM contents
        WHERE ${has("concat_ws(' ', id, url, title, author, tags::text)")}
          OR ${has(whole)}
          OR EXISTS (SELECT FROM summaries WHERE content_id = contents.id AND ${has('text')})
        ORDER BY created_at DESC, id LIMIT ${limit}`;
      return rows.map(({ id }) => id);
    },
    async listBefore(before, limit) {
      const rows = await db<Array<{ id: string }>>`
        SELECT id FROM contents WHERE updated_at < ${before}::timestamptz ORDER BY updated_at, id LIMIT ${limit}`;
      return rows.map(({ id }) => id);
    },
    check: () => checkDatabase(db, async () => {}),
    close: async () => {},
  };
}
