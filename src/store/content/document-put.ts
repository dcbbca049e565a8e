import { type Db, inTransaction } from '../database.ts';
import type { ContentDocument } from './content-document.ts';
import { saveChunks } from './content-save.ts';
import { hasEmbeddings } from './embedding-available.ts';

/** Saves a content as another store had it, all or nothing. Replaces existing content. */
export async function putDocument(db: Db, { row, chunks, embeddings, summaries }: ContentDocument): Promise<void> {
  const { id, version } = row;
  const stored = { ...row, tags: JSON.stringify(row.tags) };
  await inTransaction(db, async (tx) => {
    await tx`INSERT INTO contents ${tx(stored)} ON CONFLICT (id) DO UPDATE SET ${tx(stored)}`;
    await tx`DELETE FROM chunks WHERE content_id = ${id}`;
    await tx`DELETE FROM summaries WHERE content_id = ${id}`;
    await saveChunks(tx, row, chunks);
    if (embeddings.length > 0 && (await hasEmbeddings(tx))) {
      const given = embeddings.map((one) => ({ ...one, embedding: JSON.stringify(one.embedding) }));
      await tx`
        INSERT INTO embeddings (chunk_id, model, revision, dimensions, embedding)
        SELECT chunks.id, model, revision, vector_dims(embedding::vector), embedding::vector
        FROM jsonb_to_recordset(${JSON.stringify(given)}::jsonb) AS given (seq integer, model text, revision text, embedding text)
        JOIN chunks ON content_id = ${id} AND chunks.seq = given.seq`;
    }
    for (const summary of summaries) await tx`INSERT INTO summaries ${tx({ content_id: id, version, ...summary })}`;
  });
}
