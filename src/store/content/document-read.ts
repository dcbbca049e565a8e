import type { Db } from '../database.ts';
import type { ContentDocument } from './content-document.ts';
import { findContent } from './content-find.ts';
import { hasEmbeddings } from './embedding-available.ts';

/** Reads a content with everything made from it. */
export async function readDocument(db: Db, id: string): Promise<ContentDocument | undefined> {
  const row = await findContent(db, id);
  if (!row) return undefined;
  const chunks = await db<Array<{ text: string }>>`
    SELECT text FROM chunks WHERE content_id = ${id} AND version = ${row.version} ORDER BY seq`;
  const embeddings = (await hasEmbeddings(db))
    ? await db<Array<{ seq: number; model: string; revision: string | null; embedding: string }>>`
        SELECT seq, model, revision, embedding::text FROM embeddings JOIN chunks ON chunks.id = chunk_id
        WHERE content_id = ${id} AND version = ${row.version} ORDER BY seq, model COLLATE "C"`
    : [];
  const summaries = await db<ContentDocument['summaries']>`
    SELECT model, part, text, revision, created_at FROM summaries
    WHERE content_id = ${id} AND version = ${row.version} ORDER BY model COLLATE "C", part`;
  return {
    row,
    chunks: chunks.map(({ text }) => text),
    embeddings: embeddings.map((one) => ({ ...one, embedding: JSON.parse(one.embedding) as number[] })),
    summaries: [...summaries],
  };
}
