import type { Content, ContentDetail, ContentFilter } from '../../contracts/content/content.ts';
import type { ContentStoreKind } from '../../contracts/content/content-settings.ts';
import type { Cursor, Page } from '../page.ts';
import type { Chunk } from './chunk-list-unembedded.ts';
import type { ContentDocument } from './content-document.ts';
import type { ContentRow } from './content-row.ts';
import type { NewContent } from './content-save.ts';
import type { FoundContent, SearchQuery } from './content-search.ts';
import type { ChunkEmbedding } from './embedding-save.ts';
import type { SummaryKey } from './summary-find.ts';
import type { VectorMaker } from './vector-maker.ts';

/**
 * Where content is kept: documents with their chunks, vectors and summaries. The record says which task brought in what; the store
 * is written first, and each write may be repeated, so a task that the record calls a success has its content there.
 */
export interface ContentStore {
  readonly kind: ContentStoreKind;
  find(id: string): Promise<ContentRow | undefined>;
  /** Content with what was made of it. */
  findDetail(id: string, withChunks: boolean): Promise<ContentDetail | undefined>;
  /** One page of content, newest first. */
  list(filter: ContentFilter, window: { after: Cursor | undefined; limit: number }): Promise<Page<Content>>;
  /**
   * Stores content under its id, all or nothing. The same text changes nothing; another text is the next version, and
   * replaces the chunks, vectors and summaries of the one before.
   * @returns the content as it stands.
   */
  save(given: NewContent): Promise<ContentRow>;
  /** Keys of all documents that contents were made from, in order. */
  listBlobKeys(): Promise<string[]>;
  /** The text of a version of a content, in pieces; empty where another version has replaced it. */
  listChunkTexts(id: string, version: number): Promise<string[]>;
  /** Up to `limit` chunks of a content that have no vector of this maker, in order. @param window.after the last `seq` before them. */
  listUnembeddedChunks(id: string, maker: VectorMaker, window: { after: number; limit: number }): Promise<Chunk[]>;
  /** Why it keeps no vectors; undefined where it does. */
  whyNoVectors(): Promise<string | undefined>;
  /** Whether any content has vectors. */
  hasEmbeddings(): Promise<boolean>;
  /**
   * Keeps vectors. One of the same maker stays; one that another model of that name made is replaced. Those of chunks that a
   * newer version of the content has replaced are dropped.
   */
  saveEmbeddings(maker: Pick<VectorMaker, 'model' | 'revision'>, embeddings: ChunkEmbedding[]): Promise<void>;
  /** Ids of contents that have vectors, and not of this maker, in order. @param after the last id before them. */
  listOutdated(maker: VectorMaker, after: string, limit: number): Promise<string[]>;
  /** Writes the words of up to `limit` chunks of an earlier form again. @returns how many there were. */
  reindexChunks(limit: number): Promise<number>;
  /** A summary that was made before, unless another model of that name made it. */
  findSummary(key: SummaryKey, revision: string | undefined): Promise<string | undefined>;
  /** Keeps a summary, instead of one that was made before. */
  saveSummary(key: SummaryKey, made: { text: string; revision: string | undefined }): Promise<void>;
  /** Content that fits a query, best first. */
  search(query: SearchQuery): Promise<FoundContent[]>;
  /** Up to `limit` ids of contents, in order. @param after the last id before them; empty for the first. */
  listIds(after: string, limit: number): Promise<string[]>;
  /** A content with everything that was made of it. */
  read(id: string): Promise<ContentDocument | undefined>;
  /** Keeps a content as another store had it, instead of what is there. Vectors are left out where it keeps none. */
  put(document: ContentDocument): Promise<void>;
  /** @throws with the reason if the store does not answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Names a chunk within its store. */
export type ChunkId = number | string;
