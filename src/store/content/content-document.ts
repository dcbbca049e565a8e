import type { ContentRow } from './content-row.ts';

/** A content with everything made from it, as one store gives it to another. It refers to chunks by their order. */
export interface ContentDocument {
  row: ContentRow;
  /** The text of the present version, in order. */
  chunks: string[];
  embeddings: Array<{ seq: number; model: string; revision: string | null; embedding: number[] }>;
  summaries: Array<{ model: string; part: number; text: string; revision: string | null; created_at: string }>;
}
