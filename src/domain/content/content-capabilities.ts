import type { ContentStoreKind } from '../../contracts/content/content-settings.ts';

/** What a store for content can do, as Hapax uses it. Code asks this table, and never for the name of a store. */
export interface ContentCapabilities {
  /** As people call it. */
  name: string;
  /** It is in the database of the record: one backup has both, of one moment. */
  in_record: boolean;
  /** It keeps vectors wherever it runs; else the server may lack what that takes. */
  always_vectors: boolean;
  /** The weight of a word counts all chunks that have it; else the best {@link CANDIDATE_CHUNKS} of the query. */
  counts_all: boolean;
  /** Without a server of its own, one process at a time can open it. */
  embedded_alone: boolean;
}

/** Chunks that a store reads for a query which does not count all, by their words. */
export const CANDIDATE_CHUNKS = 500;

const TABLE: Readonly<Record<ContentStoreKind, ContentCapabilities>> = {
  postgres: { name: 'Postgres', in_record: true, always_vectors: false, counts_all: true, embedded_alone: false },
  surrealdb: { name: 'SurrealDB', in_record: false, always_vectors: true, counts_all: false, embedded_alone: true },
};

/** What a store can do. */
export function contentCapabilitiesOf(kind: ContentStoreKind): ContentCapabilities {
  return TABLE[kind];
}
