import { checkDatabase, type Db } from '../database.ts';
import { listChunkTexts } from './chunk-list-texts.ts';
import { listUnembeddedChunks } from './chunk-list-unembedded.ts';
import { reindexChunks } from './chunk-reindex.ts';
import { eraseContent, findContentsWithText, listContentsBefore } from './content-erase.ts';
import { findContent, findContentDetail } from './content-find.ts';
import { listContents } from './content-list.ts';
import { listBlobKeys } from './content-list-blob-keys.ts';
import { listOutdatedContents } from './content-list-outdated.ts';
import { saveContent } from './content-save.ts';
import { searchContent } from './content-search.ts';
import type { ContentStore } from './content-store.ts';
import { putDocument } from './document-put.ts';
import { listContentIds, readDocument } from './document-read.ts';
import { hasEmbeddings } from './embedding-available.ts';
import { embeddingsExist } from './embedding-exists.ts';
import { saveEmbeddings } from './embedding-save.ts';
import { findSummary } from './summary-find.ts';
import { saveSummary } from './summary-save.ts';

/** Returns a store of content in the Postgres of the record. The caller, who opened the database, closes it. */
export function postgresContent(db: Db): ContentStore {
  return {
    kind: 'postgres',
    find: (id) => findContent(db, id),
    findDetail: (id, withChunks) => findContentDetail(db, id, withChunks),
    list: (filter, window) => listContents(db, filter, window),
    save: (given) => saveContent(db, given),
    listBlobKeys: () => listBlobKeys(db),
    listChunkTexts: (id, version) => listChunkTexts(db, id, version),
    listUnembeddedChunks: (id, maker, window) => listUnembeddedChunks(db, id, maker, window),
    whyNoVectors: async () => ((await hasEmbeddings(db)) ? undefined : 'this Postgres has no pgvector 0.8 or later'),
    hasEmbeddings: () => embeddingsExist(db),
    saveEmbeddings: (maker, embeddings) => saveEmbeddings(db, maker, embeddings),
    listOutdated: (maker, after, limit) => listOutdatedContents(db, maker, after, limit),
    reindexChunks: (limit) => reindexChunks(db, limit),
    findSummary: (key, revision) => findSummary(db, key, revision),
    saveSummary: (key, made) => saveSummary(db, key, made),
    search: (query) => searchContent(db, query),
    listIds: (after, limit) => listContentIds(db, after, limit),
    read: (id) => readDocument(db, id),
    put: (document) => putDocument(db, document),
    erase: (id) => eraseContent(db, id),
    findWithText: (text, limit) => findContentsWithText(db, text, limit),
    listBefore: (before, limit) => listContentsBefore(db, before, limit),
    check: () => checkDatabase(db, async () => {}),
    close: async () => {},
  };
}
