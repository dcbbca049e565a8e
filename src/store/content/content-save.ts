import { type Db, inTransaction } from '../database.ts';
import { indexEntries, WORDS_FORM } from './chunk-index.ts';
import type { ContentRow } from './content-row.ts';
import { stemWords } from './word-stem.ts';

/** Content to be saved. */
export interface NewContent extends Omit<ContentRow, 'version' | 'created_at' | 'updated_at'> {
  /** The text, cut into chunks. */
  chunks: string[];
}

/**
 * Saves content under its id, all or nothing. The same text changes nothing. Another text is the next version, and replaces
 * the chunks, vectors and summaries of the previous one.
 * @returns the present content.
 */
export async function saveContent(db: Db, { chunks: texts, ...given }: NewContent): Promise<ContentRow> {
  const now = new Date().toISOString();
  const changed = { ...given, tags: JSON.stringify(given.tags), updated_at: now };
  return inTransaction(db, async (tx) => {
    // Also locks an existing row, so that two writers of the same content take turns.
    const [existing] = await tx<ContentRow[]>`
      INSERT INTO contents ${tx({ ...changed, version: 1, created_at: now })}
      ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING *`;
    if (!existing) throw new Error(`${given.id} was not stored`);
    const hasChunks = (await tx`SELECT FROM chunks WHERE content_id = ${given.id} LIMIT 1`).length > 0;
    if (!hasChunks) {
      await saveChunks(tx, existing, texts);
      return existing;
    }
    if (existing.text_sha256 === given.text_sha256) return existing;
    const [next] = await tx<ContentRow[]>`
      UPDATE contents SET ${tx({ ...changed, version: existing.version + 1 })} WHERE id = ${given.id} RETURNING *`;
    await tx`DELETE FROM chunks WHERE content_id = ${given.id}`;
    await tx`DELETE FROM summaries WHERE content_id = ${given.id}`;
    await saveChunks(tx, next!, texts);
    return next!;
  });
}

/** Writes the chunks of a version of a content, with their index entries. */
export async function saveChunks(tx: Db, { id, version, title }: ContentRow, texts: string[]): Promise<void> {
  const words = await indexEntries(
    (given) => stemWords(tx, given),
    texts.map((text) => ({ title, text })),
    (entry) => entry,
  );
  const rows = texts.map((text, index) => ({ seq: index + 1, text, words: words[index] }));
  await tx`
    INSERT INTO chunks (content_id, version, seq, text, words, words_form)
    SELECT ${id}, ${version}::integer, seq, text, words::tsvector, ${WORDS_FORM}::smallint
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS given (seq integer, text text, words text)`;
}
