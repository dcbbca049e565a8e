import type { ContentStoreKind } from '../../contracts/content/content-settings.ts';

/** The capabilities of a content store that Hapax uses. Code asks for these, and never for the name of a store. */
export interface ContentCapabilities {
  /** Name for people. */
  name: string;
  /** Whether it is in the database of the record, so that one backup has both at the same moment. */
  in_record: boolean;
  /** Whether it keeps vectors wherever it runs. Otherwise the server may lack what that takes. */
  always_vectors: boolean;
  /** Whether the weight of a word counts all chunks that have it. Otherwise only the best {@link CANDIDATE_CHUNKS} of the query count. */
  counts_all: boolean;
  /** Whether only one process at a time can open it, if it has no server of its own. */
  embedded_alone: boolean;
}

/** How many chunks a store that does not count all reads for a query, by their words. */
export const CANDIDATE_CHUNKS = 500;

const TABLE: Readonly<Record<ContentStoreKind, ContentCapabilities>> = {
  postgres: { name: 'Postgres', in_record: true, always_vectors: false, counts_all: true, embedded_alone: false },
  surrealdb: { name: 'SurrealDB', in_record: false, always_vectors: true, counts_all: false, embedded_alone: true },
};

/** Returns what a store can do. */
export function contentCapabilitiesOf(kind: ContentStoreKind): ContentCapabilities {
  return TABLE[kind];
}
