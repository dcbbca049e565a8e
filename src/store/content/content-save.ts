import { and, eq, sql } from 'drizzle-orm';
import { type Db, inTransaction } from '../database.ts';
import { chunks, contents, summaries } from '../schema.ts';
import { indexTexts, WORDS_FORM } from './chunk-index.ts';
import type { ContentRow } from './content-row.ts';

/** Content as it was brought in. */
export interface NewContent extends Omit<ContentRow, 'version' | 'created_at' | 'updated_at'> {
  /** The text, cut. */
  chunks: string[];
}

/**
 * Stores content under its id, all or nothing. The same text changes nothing; another text is the next version, and
 * replaces the chunks, vectors and summaries of the one before.
 * @returns the content as it stands.
 */
export async function saveContent(db: Db, { chunks: texts, ...given }: NewContent): Promise<ContentRow> {
  const now = new Date().toISOString();
  return inTransaction(db, async (tx) => {
    const row = { ...given, version: 1, created_at: now, updated_at: now };
    // Also locks a row that exists already, so that two who bring in the same content take turns.
    const [standing] = await tx
      .insert(contents)
      .values(row)
      .onConflictDoUpdate({ target: contents.id, set: { id: given.id } })
      .returning();
    if (!standing) throw new Error(`${given.id} was not stored`);
    const [known] = await tx.select({ id: chunks.id }).from(chunks).where(eq(chunks.content_id, given.id)).limit(1);
    if (!known) {
      await insertChunks(tx, standing, texts);
      return standing;
    }
    if (standing.text_sha256 === given.text_sha256) return standing;
    const [next] = await tx
      .update(contents)
      .set({ ...given, version: standing.version + 1, updated_at: now })
      .where(eq(contents.id, given.id))
      .returning();
    await tx.delete(chunks).where(eq(chunks.content_id, given.id));
    await tx.delete(summaries).where(and(eq(summaries.content_id, given.id)));
    await insertChunks(tx, next!, texts);
    return next!;
  });
}

async function insertChunks(tx: Db, { id, version, title }: ContentRow, texts: string[]): Promise<void> {
  const words = await indexTexts(
    tx,
    texts.map((text) => ({ title, text })),
  );
  const rows = texts.map((text, index) => ({ seq: index + 1, text, words: words[index] }));
  await tx.execute(sql`
    INSERT INTO chunks (content_id, version, seq, text, words, words_form)
    SELECT ${id}, ${version}::integer, seq, text, words::tsvector, ${WORDS_FORM}::smallint
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS given (seq integer, text text, words text)`);
}
