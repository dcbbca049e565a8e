import type { ContentDetail } from '../../contracts/content/content.ts';
import { textOfAnswer } from '../../domain/content/model-answer.ts';
import type { Stem } from '../content/chunk-index.ts';
import { type ContentRow, contentFromRow, detailOf } from '../content/content-row.ts';
import type { ContentStore } from '../content/content-store.ts';
import { pageOf } from '../page.ts';
import { reindexChunks } from './chunk-words.ts';
import { eraseContent, findContentsWithText, listContentsBefore } from './content-erase.ts';
import { filterValues, PASSES, ROW } from './content-row.ts';
import { saveContent } from './content-save.ts';
import { listContentIds, putDocument, readDocument } from './documents.ts';
import { listOutdated, listUnembeddedChunks, saveEmbeddings } from './embeddings.ts';
import { searchContent } from './surreal-search.ts';
import type { SurrealDatabase } from './surrealdb.ts';

export interface SurrealContentOptions {
  surreal: SurrealDatabase;
  /** Returns the English stems of words. They come from the record's Postgres, so that both stores have the same words. */
  stem: Stem;
}

/**
 * Keeps no summary of a text that was erased or replaced meanwhile. SurrealDB sees no conflict with a deletion at the same time, so this
 * looks before, and again in a transaction after: an erasure that has not seen the summary is over by then.
 */
const SAVE_SUMMARY = `
  LET $id = type::record('summary', [$row.content, $row.version, $row.model, $row.part]);
  IF type::record('content', $row.content).version = $row.version { UPSERT $id CONTENT $row };
  IF type::record('content', $row.content).version != $row.version { DELETE $id };`;

/** Returns a store of content in SurrealDB. */
export function surrealContent({ surreal, stem }: SurrealContentOptions): ContentStore {
  const find = async (id: string) => {
    const [[row]] = await surreal.query<[ContentRow[]]>(`SELECT ${ROW} FROM type::record('content', $id)`, { id });
    return row;
  };
  return {
    kind: 'surrealdb',
    find,
    async findDetail(id, withChunks) {
      const [[row], texts, summaries, embedded] = await surreal.query<
        [ContentRow[], Array<{ text: string }>, ContentDetail['summaries'], ContentDetail['embedded']]
      >(
        `SELECT ${ROW} FROM type::record('content', $id);
         SELECT seq, ${withChunks ? 'text' : "'' AS text"} FROM chunk WHERE content = $id ORDER BY seq;
         SELECT model, text, created_at FROM summary
           WHERE content = $id AND part = 0 AND version = type::record('content', $id).version ORDER BY model;
         SELECT model, count() AS chunks FROM embedding WHERE content = $id GROUP BY model ORDER BY model`,
        { id },
      );
      return row && detailOf(row, { texts, summaries, embedded }, withChunks);
    },
    async list(filter, { after, limit }) {
      const [rows] = await surreal.query<[ContentRow[]]>(
        `SELECT ${ROW} FROM content
         WHERE ${PASSES} ${after ? 'AND (created_at < $at OR (created_at = $at AND key < $id))' : ''}
         ORDER BY created_at DESC, id DESC LIMIT $limit`,
        { ...filterValues(filter), at: after?.created_at, id: after?.id, limit: limit + 1 },
      );
      const { items, end } = pageOf(rows, limit);
      return { items: items.map(contentFromRow), end };
    },
    save: (given) => saveContent(surreal, stem, given),
    async listBlobKeys() {
      const [keys] = await surreal.query<[string[]]>(
        'array::sort(array::distinct(SELECT VALUE blob_key FROM content))',
      );
      return keys;
    },
    async listChunkTexts(id, version) {
      const [texts] = await surreal.query<[Array<{ text: string }>]>(
        'SELECT seq, text FROM chunk WHERE content = $id AND version = $version ORDER BY seq',
        { id, version },
      );
      return texts.map(({ text }) => text);
    },
    listUnembeddedChunks: (id, maker, window) => listUnembeddedChunks(surreal, id, maker, window),
    whyNoVectors: async () => undefined,
    async hasEmbeddings() {
      const [ids] = await surreal.query<[unknown[]]>('SELECT VALUE model FROM embedding LIMIT 1');
      return ids.length > 0;
    },
    saveEmbeddings: (maker, embeddings) => saveEmbeddings(surreal, maker, embeddings),
    listOutdated: (maker, after, limit) => listOutdated(surreal, maker, after, limit),
    reindexChunks: (limit) => reindexChunks(surreal, stem, limit),
    async findSummary({ content_id, version, model, part }, revision) {
      const [[found]] = await surreal.query<[Array<{ text: string; revision?: string }>]>(
        "SELECT text, revision FROM type::record('summary', [$content_id, $version, $model, $part])",
        { content_id, version, model, part },
      );
      const isOfAnother = found?.revision && revision && found.revision !== revision;
      return found && !isOfAnother ? textOfAnswer(found.text) : undefined;
    },
    async saveSummary({ content_id: content, version, model, part }, { text, revision }) {
      const row = { content, version, model, part, text, revision, created_at: new Date().toISOString() };
      await surreal.query(SAVE_SUMMARY, { row });
    },
    search: (query) => searchContent(surreal, stem, query),
    listIds: (after, limit) => listContentIds(surreal, after, limit),
    read: (id) => readDocument(surreal, id),
    put: (document) => putDocument(surreal, stem, document),
    erase: (id) => eraseContent(surreal, id),
    findWithText: (text, limit) => findContentsWithText(surreal, text, limit),
    listBefore: (before, limit) => listContentsBefore(surreal, before, limit),
    check: async () => void (await surreal.query('RETURN true')),
    close: () => surreal.close(),
  };
}
