import type { Content, ContentDetail, ContentFilter } from '../../contracts/content/content.ts';
import type { ContentStoreKind } from '../../contracts/content/content-settings.ts';
import type { Cursor, Page } from '../page.ts';
import type { ContentDocument } from './content-document.ts';
import type { ContentRow } from './content-row.ts';
import type { NewContent } from './content-save.ts';
import type { FoundContent, SearchQuery } from './content-search.ts';
import type { VectorMaker } from './vector-maker.ts';

/**
 * A store of content: documents with their chunks, vectors and summaries. The record says which task brought in what. The store
 * is written first, and each write may be repeated, so the content of every task that the record calls a success is there.
 */
export interface ContentStore {
  readonly kind: ContentStoreKind;
  find(id: string): Promise<ContentRow | undefined>;
  /** Finds content with everything made from it. */
  findDetail(id: string, withChunks: boolean): Promise<ContentDetail | undefined>;
  /** Lists one page of content, newest first. */
  list(filter: ContentFilter, window: { after: Cursor | undefined; limit: number }): Promise<Page<Content>>;
  /**
   * Saves content under its id, all or nothing. The same text changes nothing. Another text is the next version, and
   * replaces the chunks, vectors and summaries of the previous one.
   * @returns the present content.
   */
  save(given: NewContent): Promise<ContentRow>;
  /** Lists the keys of all documents that contents were made from, in order. */
  listBlobKeys(): Promise<string[]>;
  /** Returns the text of a version of a content, in pieces; empty if another version has replaced it. */
  listChunkTexts(id: string, version: number): Promise<string[]>;
  /**
   * Lists up to `limit` chunks of a content that have no vector of this maker, in order.
   * @param window.after the last `seq` before them.
   */
  listUnembeddedChunks(id: string, maker: VectorMaker, window: { after: number; limit: number }): Promise<Chunk[]>;
  /** Says why the store keeps no vectors; returns undefined if it does. */
  whyNoVectors(): Promise<string | undefined>;
  /** Says whether any content has vectors. */
  hasEmbeddings(): Promise<boolean>;
  /**
   * Saves vectors. An existing one of the same maker stays; one of another model with that name is replaced. Drops vectors
   * of chunks that a newer version of the content has replaced.
   */
  saveEmbeddings(maker: Pick<VectorMaker, 'model' | 'revision'>, embeddings: ChunkEmbedding[]): Promise<void>;
  /** Lists, in order, ids of contents whose vectors are from another maker. @param after the last id before them. */
  listOutdated(maker: VectorMaker, after: string, limit: number): Promise<string[]>;
  /** Rewrites the words of up to `limit` chunks that have an earlier form. @returns how many there were. */
  reindexChunks(limit: number): Promise<number>;
  /** Finds an existing summary, unless another model with that name made it. */
  findSummary(key: SummaryKey, revision: string | undefined): Promise<string | undefined>;
  /** Saves a summary. Replaces an existing one. Drops that of a text which was erased or replaced meanwhile. */
  saveSummary(key: SummaryKey, made: { text: string; revision: string | undefined }): Promise<void>;
  /** Finds content that fits a query, best first. */
  search(query: SearchQuery): Promise<FoundContent[]>;
  /** Lists up to `limit` ids of contents, in order. @param after the last id before them; empty for the first. */
  listIds(after: string, limit: number): Promise<string[]>;
  /** Reads a content with everything made from it. */
  read(id: string): Promise<ContentDocument | undefined>;
  /** Saves a content as another store had it. Replaces existing content. Leaves out vectors if the store keeps none. */
  put(document: ContentDocument): Promise<void>;
  /** Deletes a content with everything made from it, all or nothing. Does nothing if there is none. */
  erase(id: string): Promise<void>;
  /** Finds up to `limit` contents that have a text in themselves or in anything made from them, ignoring case. Reads all contents. */
  findWithText(text: string, limit: number): Promise<string[]>;
  /** Lists up to `limit` ids of contents that were brought in, or last changed, before a time (ISO 8601), oldest first. */
  listBefore(before: string, limit: number): Promise<string[]>;
  /** @throws with the reason if the store does not respond. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The id of a chunk within its store. */
export type ChunkId = number | string;

/** A piece of a content's text. */
export interface Chunk {
  id: ChunkId;
  seq: number;
  text: string;
}

/** The vector of a chunk. */
export interface ChunkEmbedding {
  chunk_id: ChunkId;
  embedding: number[];
}

/** The key of a summary: a version of a content and a model. Part 0 is the summary of the whole. */
interface SummaryKey {
  content_id: string;
  version: number;
  model: string;
  part: number;
}
